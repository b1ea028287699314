/** The other tabs of this browser, as far as they ask the same service. */
export interface Tabs {
  /** Tells them the public id of the session that the service named; empty for nobody. */
  tell(sessionId: string): void
  /** Listens to them. Returns how to stop. */
  listen(heard: (sessionId: unknown) => void): () => void
}

/**
 * A channel between tabs. A message is only a reason to ask: who is signed in is for the service
 * to say. Where there are no channels, or none are allowed, it does nothing.
 */
export function createTabs(name: string): Tabs {
  let listening: BroadcastChannel | undefined
  return {
    tell(sessionId) {
      const channel = listening ?? open(name)
      channel?.postMessage(sessionId)
      if (channel !== listening) channel?.close()
    },
    listen(heard) {
      const channel = (listening = open(name))
      if (channel) channel.onmessage = ({ data }) => heard(data)
      return () => {
        channel?.close()
        listening = undefined
      }
    },
  }
}

/** Firefox refuses one in a frame whose storage is blocked. */
function open(name: string): BroadcastChannel | undefined {
  try {
    return new BroadcastChannel(name)
  } catch {
    return undefined
  }
}
