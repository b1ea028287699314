/** The other tabs of this browser, as far as they ask the same service. */
export interface Tabs {
  /** Tells them to ask the service again. */
  tell(): void
  /** Listens to them. Returns how to stop. */
  listen(heard: () => void): () => void
}

/**
 * A channel between tabs. A message says only that something changed, never what: who is signed in
 * is for the service to say. Where there are no channels, or none are allowed, it does nothing.
 */
export function createTabs(name: string): Tabs {
  let listening: BroadcastChannel | undefined
  return {
    tell() {
      const channel = listening ?? open(name)
      channel?.postMessage('ask')
      if (channel !== listening) channel?.close()
    },
    listen(heard) {
      const channel = (listening = open(name))
      if (channel) channel.onmessage = heard
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
