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
