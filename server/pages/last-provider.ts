import type { CookieOptions, Request, Response } from 'express'

const NAME = 'ns_provider'
const YEAR_MS = 365 * 24 * 3600 * 1000

/**
 * The provider that this browser last signed in with. Only a hint for the page: anyone can set the
 * cookie. Needs cookie-parser, whose `j:` values match no id.
 */
export function lastProvider({ cookies }: Request, ids: readonly string[]): string | undefined {
  const value: unknown = (cookies as Record<string, unknown>)[NAME]
  return ids.find((id) => id === value)
}

/** Remembers the provider for a year. */
export function rememberProvider(res: Response, id: string, origin: string): void {
  const options: CookieOptions = {
    httpOnly: true,
    maxAge: YEAR_MS,
    path: '/',
    sameSite: 'lax',
    secure: origin.startsWith('https:'),
  }
  res.cookie(NAME, id, options)
}
