import { clearCookie, setCookie } from '@netscript/plugin-auth-core'
import type { WorkosSettings } from './options.js'

/** Creates the `Set-Cookie` values of the session cookie. */
export interface SessionCookie {
  set(sealed: string): readonly string[]
  clear(): readonly string[]
}

export function createSessionCookie(settings: WorkosSettings): SessionCookie {
  const { cookieName, cookieDomain, cookieMaxAge } = settings
  const secure = !settings.insecureCookies
  const domain = cookieDomain === undefined ? '' : `; Domain=${cookieDomain}`
  const cleared = clearCookie(cookieName, { secure })
  return {
    set: (sealed) => [setCookie(cookieName, sealed, { maxAge: cookieMaxAge, secure }) + domain],
    // With and without a domain are two different cookies; clear both.
    clear: () => (domain === '' ? [cleared] : [cleared + domain, cleared]),
  }
}
