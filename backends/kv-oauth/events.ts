import type { AuthLog } from '@netscript/plugin-auth-core'
import { withinTime } from '@netscript/plugin-auth-core/internal'
import type { UserProfile } from './session-store.js'

/** A user who signed in for the first time. */
export interface UserCreatedEvent extends UserProfile {
  /** The stable user id, `me.user.id`. */
  readonly userId: string
  readonly providerId: string
  /** The issuer, or the provider id without one. */
  readonly issuer: string
  /** The provider subject of the user. */
  readonly subject: string
}

/** A completed sign-in. */
export interface SignInEvent extends UserCreatedEvent {
  /** The public id of the new session. */
  readonly sessionId: string
  /** The roles of the session. */
  readonly roles: readonly string[]
  /** The scopes that the provider granted. */
  readonly scopes: readonly string[]
  /** Whether this sign-in created the user. */
  readonly isFirst: boolean
}

/** A sign-out by the user. */
export interface SignOutEvent {
  readonly userId: string
  readonly providerId: string
  /** The public id of the session that ended. */
  readonly sessionId: string
  /** Whether the user signed out everywhere. */
  readonly everywhere: boolean
}

/**
 * Functions that are called when something has been stored. Each is called at most once: not again if it
 * fails, and not at all if the process ends first, so repeat what must not be missed at the next
 * sign-in. The response waits for a function for at most one second. An error is logged and changes
 * nothing.
 */
export interface AuthEvents {
  /** Called when a first sign-in has created the user, before `onSignIn`. */
  onUserCreated?: (event: UserCreatedEvent) => void | Promise<void>
  /** Called when a sign-in has stored its session. */
  onSignIn?: (event: SignInEvent) => void | Promise<void>
  /**
   * Called when a user has signed out. Sessions that expire, or that the operator or the provider ends,
   * are only in the audit trail.
   */
  onSignOut?: (event: SignOutEvent) => void | Promise<void>
}

const LIMIT_MS = 1_000

/** Calls a function of {@link AuthEvents}. Never rejects. */
export async function emit<Name extends keyof AuthEvents>(
  { events, log }: { readonly events: AuthEvents; readonly log: AuthLog },
  name: Name,
  event: Parameters<NonNullable<AuthEvents[Name]>>[0],
): Promise<void> {
  const call = events[name] as ((event: unknown) => void | Promise<void>) | undefined
  if (!call) return
  const failed = (err: unknown): void => log.error({ err, event: name }, `${name} failed.`)
  const run = async (): Promise<void> => {
    try {
      await call(event)
    } catch (err) {
      failed(err)
    }
  }
  await withinTime(name, LIMIT_MS, run()).catch(failed)
}
