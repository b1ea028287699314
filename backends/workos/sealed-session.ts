import { z } from 'zod'
import { decodeBase64url } from '@netscript/plugin-auth-core/internal'
import type { UserManagement } from './client.js'

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

/** What AuthKit seals into the session cookie. It holds tokens: it never leaves this folder. */
export type SealedSession = z.infer<typeof SealedSession>

/**
 * The seal authenticates itself but for its end: the version, and the spare bits of the last
 * character before it. Only the one way in which they are written counts.
 */
function isCanonical(sessionData: string): boolean {
  const digest = /^[^~]*\*([\w-]+)~2$/.exec(sessionData)?.[1]
  return digest !== undefined && decodeBase64url(digest) !== undefined
}

/** Opens a sealed session with the SDK; `undefined` when it was not sealed with our password. */
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
    // The SDK throws for some broken seals and answers with an empty object for others.
    return undefined
  }
}
