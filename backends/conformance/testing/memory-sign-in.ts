import { createHash, randomBytes } from 'node:crypto'
import { clearCookie, setCookie } from '../../cookie.js'
import { AuthError } from '../../errors.js'
import type { InteractiveFlowPort } from '../../port.js'
import { type AuthnRequest, singleCookie } from '../../request.js'
import { MEMORY_PROVIDER, type MemoryStore } from './memory-backend.js'

/** A sign-in that was begun, kept under the hash of the secret in its cookie. */
export interface MemoryTransaction {
  readonly state: string
  readonly challenge: string
  readonly returnTo: string
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url')
const random = (): string => randomBytes(32).toString('base64url')
const cookieName = (state: string): string => `__Host-memory_txn_${sha256(state).slice(0, 16)}`

/** What the flow needs of the sessions. */
interface Sessions {
  open(subject: string): { sessionId: string; userId: string; setCookie: string }
  /** Ends the session that the browser brought. */
  end(request: AuthnRequest): void
}

/**
 * The redirect flow of the memory backend. Its provider is a page that nobody serves; the code that
 * comes back is the subject of the person who approved.
 */
export function createMemorySignIn(store: MemoryStore, sessions: Sessions): InteractiveFlowPort {
  const transactions = (): Map<string, MemoryTransaction> => {
    if (store.down) throw new AuthError('STORE_UNAVAILABLE', 'The store is down. Try again.')
    return store.transactions
  }
  const noLogOut = async (): Promise<never> => {
    throw new AuthError('AUTH_TRANSACTION_MISSING', 'The memory backend has no log-out.')
  }

  /** Takes it in one step: of many callbacks one gets it, and a foreign one leaves it alone. */
  const take = (request: AuthnRequest, state: string | null): MemoryTransaction => {
    const secret = state === null ? undefined : singleCookie(request, cookieName(state))
    if (state === null || !secret) {
      throw new AuthError('AUTH_TRANSACTION_MISSING', 'Start the sign-in again.')
    }
    const key = sha256(secret)
    const found = transactions().get(key)
    if (found?.state !== state) {
      throw new AuthError('AUTH_TRANSACTION_EXPIRED', 'Start the sign-in again.')
    }
    transactions().delete(key)
    return found
  }

  return {
    async signIn(_request, { providerId = MEMORY_PROVIDER.id, returnTo }) {
      if (providerId !== MEMORY_PROVIDER.id) {
        throw new AuthError('VALIDATION_ERROR', 'There is no such provider. Use memory.', {
          data: { formErrors: [], fieldErrors: { providerId: ['must be memory'] } },
        })
      }
      const [state, secret, verifier] = [random(), random(), random()]
      const challenge = sha256(verifier)
      transactions().set(sha256(secret), { state, challenge, returnTo })
      const redirectUrl = new URL('https://provider.example/authorize')
      redirectUrl.search = new URLSearchParams({
        response_type: 'code',
        state,
        code_challenge: challenge,
        code_challenge_method: 'S256',
      }).toString()
      return {
        providerId,
        redirectUrl: redirectUrl.href,
        state,
        setCookies: [setCookie(cookieName(state), secret, { maxAge: 600 })],
      }
    },
    async handleCallback(request, query) {
      const { state, returnTo } = take(request, query.get('state'))
      const setCookies = [clearCookie(cookieName(state))]
      const subject = query.get('code')
      if (subject === null) {
        throw new AuthError('AUTH_ACCESS_DENIED', 'The sign-in was declined.', { setCookies })
      }
      sessions.end(request)
      const { sessionId, userId, setCookie: cookie } = sessions.open(subject)
      return {
        sessionId,
        userId,
        subject,
        providerId: MEMORY_PROVIDER.id,
        returnTo,
        setCookies: [...setCookies, cookie],
      }
    },
    startLogout: noLogOut,
    finishLogout: noLogOut,
  }
}
