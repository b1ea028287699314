/** Makes a call, or joins a pending call with the same key. */
type ShareQuestion<T> = (key: string, ask: () => Promise<T>) => Promise<T>

interface Line<T> {
  /** Resolves when the call in flight has settled. */
  over: Promise<unknown>
  /** The next call, not yet sent, which callers can join. */
  next?: Promise<T> | undefined
}

/**
 * Coalesces calls: at most one is in flight for each key. Callers that arrive meanwhile share the
 * next call, not the one in flight, because its response could predate the end of a session. There
 * is no timer and no cache, so every result is newer than the request for it.
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
