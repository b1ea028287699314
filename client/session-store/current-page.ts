/** Maximum length of a return address in the contract. */
const LONGEST = 2_048

/** The current page as a return address; empty outside a browser or when the URL is too long. */
export function currentPage(): { redirectTo?: string } {
  const href = globalThis.location?.href
  return href && href.length <= LONGEST ? { redirectTo: href } : {}
}
