/** Beyond this the contract takes no return address. */
const LONGEST = 2_048

/** The page as a return address; nothing where there is no page, or its address is too long. */
export function currentPage(): { redirectTo?: string } {
  const href = globalThis.location?.href
  return href && href.length <= LONGEST ? { redirectTo: href } : {}
}
