/** A bounded cache of short-lived results. */
export interface AnswerCache<T> {
  get(credential: string): Promise<T | undefined>
  /** `until` is an instant of `performance.now()`, in milliseconds. */
  set(credential: string, answer: T, until: number): Promise<void>
}

/** Options of {@link createAnswerCache}. */
export interface AnswerCacheOptions {
  /** The oldest entry is evicted when there are more. */
  maxEntries: number
}

/** Keys are SHA-256 hashes of the credentials, so that the cache holds no credential. */
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
