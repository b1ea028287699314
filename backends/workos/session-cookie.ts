import { clearCookie, setCookie } from '@netscript/plugin-auth-core'
import type { WorkosSettings } from './options.js'
import { z } from 'zod'
import { decodeBase64url } from '@netscript/plugin-auth-core/internal'
import type { UserManagement } from './client.js'

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

const text = z.string().min(1).optional().catch(undefined)

const SealedSession = z.object({
  accessToken: z.string().min(1),
  refreshToken: text,
  authenticationMethod: text,
  user: z.object({
    id: z.string().min(1),
    email: text,
    emailVerified: z.boolean().optional().catch(undefined),
    firstName: text,
    lastName: text,
    profilePictureUrl: text,
  }),
})

/** The content of the session cookie of AuthKit. It contains tokens and must not leave this package. */
export type SealedSession = z.infer<typeof SealedSession>

/**
 * The seal authenticates everything except its end: the version suffix, and the unused bits of the
 * last character before it. Only the canonical spelling of these is accepted.
 */
function isCanonical(sessionData: string): boolean {
  const digest = /^[^~]*\*([\w-]+)~2$/.exec(sessionData)?.[1]
  return digest !== undefined && decodeBase64url(digest) !== undefined
}

/** Opens a sealed session with the SDK; `undefined` if it was not sealed with our password. */
export async function openSealedSession(
  userManagement: UserManagement,
  cookiePassword: string,
  sessionData: string,
): Promise<SealedSession | undefined> {
  if (!isCanonical(sessionData)) return undefined
  try {
    const opened: unknown = await userManagement.getSessionFromCookie({
      sessionData,
      cookiePassword,
    })
    return SealedSession.safeParse(opened).data
  } catch {
    // The SDK throws for some invalid seals and returns an empty object for others.
    return undefined
  }
}
