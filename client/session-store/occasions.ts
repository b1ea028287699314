/** Whether nobody can see the page. Without a document somebody can. */
export const isHidden = (): boolean => globalThis.document?.visibilityState === 'hidden'

/**
 * Tells when somebody returns to the page, or the network does. Returns how to stop. Without a
 * window nothing is told.
 */
export function onOccasion(tell: () => void): () => void {
  const { window, document } = globalThis
  if (!window?.addEventListener) return () => {}
  const shown = (): void => void (isHidden() || tell())
  // A page from the back-forward cache shows what was true when it was left.
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
