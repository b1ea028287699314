/** Asks a question, or joins others who ask the same. */
export type ShareQuestion<T> = (key: string, ask: () => Promise<T>) => Promise<T>

interface Line<T> {
  /** Resolves when the question under way is over. */
  over: Promise<unknown>
  /** The next one, which has not been sent and can be joined. */
  next?: Promise<T> | undefined
}

/**
 * One question under way for each key. Whoever comes meanwhile shares the one after it: an answer
 * that was asked for earlier could still say "signed in" of a session that has ended since. There is
 * no timer and no cache, so every answer was read after it was asked for.
 */
export function createSharedQuestions<T>(): ShareQuestion<T> {
  const lines = new Map<string, Line<T>>()
  return (key, ask) => {
    const line: Line<T> = lines.get(key) ?? { over: Promise.resolve() }
    lines.set(key, line)
    const leave = (): void => {
      if (!line.next) lines.delete(key)
    }
    line.next ??= line.over.then(() => {
      line.next = undefined
      const answer = ask()
      line.over = answer.then(leave, leave)
      return answer
    })
    return line.next
  }
}
