/** The other tabs of this browser that use the same service. */
export interface Tabs {
  /** Sends the public id of the current session; empty when signed out. */
  tell(sessionId: string): void
  /** Receives session ids of other tabs. Returns a function that stops it. */
  listen(heard: (sessionId: unknown) => void): () => void
}

/**
 * A channel between tabs. A message only triggers a refresh; the service stays the source of truth.
 * Does nothing where `BroadcastChannel` is missing or blocked.
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

/** Firefox throws in a frame whose storage is blocked. */
function open(name: string): BroadcastChannel | undefined {
  try {
    return new BroadcastChannel(name)
  } catch {
    return undefined
  }
}
