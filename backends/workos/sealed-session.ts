import { z } from 'zod'
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

/** Opens a sealed session with the SDK; `undefined` when it was not sealed with our password. */
export async function openSealedSession(
  userManagement: UserManagement,
  cookiePassword: string,
  sessionData: string,
): Promise<SealedSession | undefined> {
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
