import { createHash } from 'node:crypto'
import { type UserManagement, workosUnavailable } from './client.js'
import type { WorkosSettings } from './options.js'
import type { SealedSession } from './session-cookie.js'

/** The result of a refresh. */
export type RefreshOutcome =
  | { readonly status: 'renewed'; readonly sealed: string }
  | { readonly status: 'refused'; readonly reason: string }

/** Refreshes sealed sessions. */
export interface SessionRefresher {
  /** @throws AuthError `STORE_UNAVAILABLE` when WorkOS returned neither tokens nor a refusal. */
  refresh(session: SealedSession, sealed: string): Promise<RefreshOutcome>
}

/** Requests that a browser sent with the old cookie arrive within this time. */
const SHARED_MS = 10_000

/**
 * A refresh token is single-use, so concurrent requests with the same token share one call, and later
 * ones its result for ten seconds. Across processes, the reuse interval of WorkOS covers this.
 */
export function createSessionRefresher(
  userManagement: UserManagement,
  settings: WorkosSettings,
  now: () => number = Date.now,
): SessionRefresher {
  const shared = new Map<string, { outcome: Promise<RefreshOutcome>; until: number }>()

  const forgetOld = (): void => {
    for (const [key, { until }] of shared) if (until <= now()) shared.delete(key)
  }

  const renew = async (sessionData: string): Promise<RefreshOutcome> => {
    const session = userManagement.loadSealedSession({
      sessionData,
      cookiePassword: settings.cookiePassword,
    })
    const result = await session.refresh().catch((error: unknown) => {
      throw workosUnavailable(error)
    })
    if (!result.authenticated) return { status: 'refused', reason: result.reason }
    if (!result.sealedSession) throw workosUnavailable(new Error('No sealed session came back.'))
    return { status: 'renewed', sealed: result.sealedSession }
  }

  return {
    refresh(session, sealed) {
      forgetOld()
      const key = createHash('sha256')
        .update(session.refreshToken ?? sealed)
        .digest('base64url')
      const known = shared.get(key)
      if (known) return known.outcome
      const entry = { outcome: renew(sealed), until: Infinity }
      shared.set(key, entry)
      entry.outcome.then(
        () => (entry.until = now() + SHARED_MS),
        () => shared.delete(key),
      )
      return entry.outcome
    },
  }
}
