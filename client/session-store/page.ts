/** Maximum length of a return address in the contract. */
const LONGEST = 2_048

/** The current page as a return address; empty outside a browser or when the URL is too long. */
export function currentPage(): { redirectTo?: string } {
  const href = globalThis.location?.href
  return href && href.length <= LONGEST ? { redirectTo: href } : {}
}

/** Whether the page is hidden; false without a document. */
export const isHidden = (): boolean => globalThis.document?.visibilityState === 'hidden'

/**
 * Calls `tell` when the page is shown or focused again, or when the network returns. Returns a
 * function that stops it. Does nothing without a window.
 */
export function onOccasion(tell: () => void): () => void {
  const { window, document } = globalThis
  if (!window?.addEventListener) return () => {}
  const shown = (): void => void (isHidden() || tell())
  // A page restored from the back-forward cache shows stale state.
  const restored = (event: PageTransitionEvent): void => void (event.persisted && tell())
  window.addEventListener('focus', tell)
  window.addEventListener('online', tell)
  window.addEventListener('pageshow', restored)
  document?.addEventListener('visibilitychange', shown)
  return () => {
    window.removeEventListener('focus', tell)
    window.removeEventListener('online', tell)
    window.removeEventListener('pageshow', restored)
    document?.removeEventListener('visibilitychange', shown)
  }
}

/** The other tabs of this browser that use the same service. */
interface Tabs {
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
