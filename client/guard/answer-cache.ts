/** Keeps answers for a short time, a bounded number of them. */
export interface AnswerCache<T> {
  get(credential: string): Promise<T | undefined>
  /** Keeps an answer until `until`, in milliseconds of `performance.now()`. */
  set(credential: string, answer: T, until: number): Promise<void>
}

/** Options of {@link createAnswerCache}. */
export interface AnswerCacheOptions {
  /** The oldest goes when there are more. */
  maxEntries: number
}

/** A cache whose keys are SHA-256 of credentials, so that a dump of the memory holds none. */
export function createAnswerCache<T>({ maxEntries }: AnswerCacheOptions): AnswerCache<T> {
  const entries = new Map<string, { answer: T; until: number }>()
  return {
    async get(credential) {
      const key = await hash(credential)
      const entry = entries.get(key)
      if (entry && performance.now() < entry.until) return entry.answer
      entries.delete(key)
      return undefined
    },
    async set(credential, answer, until) {
      const key = await hash(credential)
      entries.delete(key)
      entries.set(key, { answer, until })
      const [oldest] = entries.keys()
      if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest)
    },
  }
}

async function hash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return String.fromCharCode(...new Uint8Array(digest))
}
