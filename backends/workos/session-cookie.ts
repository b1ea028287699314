import { clearCookie, setCookie } from '@netscript/plugin-auth-core'
import type { WorkosSettings } from './options.js'

/** The `Set-Cookie` values of the session cookie. */
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
    // With and without the domain they are two cookies, and both must go.
    clear: () => (domain === '' ? [cleared] : [cleared + domain, cleared]),
  }
}
