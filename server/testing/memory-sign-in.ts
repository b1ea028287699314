import type { AuthSession } from '@netscript/auth-contract'
import {
  AuthError,
  type AuthnRequest,
  clearCookie,
  type InteractiveFlowPort,
  setCookie,
  singleCookie,
} from '@netscript/plugin-auth-core'
import { publicId, randomSecret } from '@netscript/plugin-auth-core/internal'
import {
  MEMORY_PROVIDER,
  memoryCookie,
  type MemoryStore,
  type MemoryTransaction,
  newMemoryAccount,
  put,
  reach,
  TRANSACTION_MS,
} from './memory-store.js'

/** A subject that the backend does not admit. */
export const REFUSED_SUBJECT = 'memory:refused'

const cookieName = (state: string): string => `__Host-memory_txn_${publicId(state).slice(0, 16)}`

/** Returns where the browser goes to sign in, from the parameters of the authorization request. */
export type MemoryProvider = (parameters: URLSearchParams) => string

const NO_PAGE: MemoryProvider = (parameters) =>
  `https://provider.example/authorize?${parameters.toString()}`

/**
 * The redirect flow of the memory backend. Its provider has no page; the authorization code is the
 * subject of the user who approved.
 */
export function createMemorySignIn(
  store: MemoryStore,
  /** Opens a session that replaces the previous one of the browser. */
  open: (request: AuthnRequest, subject: string) => { token: string; session: AuthSession },
  /** The live session of the browser. */
  current: (request: AuthnRequest) => AuthSession | undefined,
  provider: MemoryProvider = NO_PAGE,
): InteractiveFlowPort {
  /** Atomic: exactly one concurrent callback gets it, and a foreign callback does not consume it. */
  const take = (request: AuthnRequest, state: string): MemoryTransaction => {
    const secret = singleCookie(request, cookieName(state))
    if (!secret) throw new AuthError('AUTH_TRANSACTION_MISSING', 'Start the sign-in again.')
    const { transactions } = reach(store)
    const key = publicId(secret)
    const found = transactions.get(key)
    if (found?.state !== state) {
      throw new AuthError('AUTH_TRANSACTION_EXPIRED', 'Start the sign-in again.')
    }
    transactions.delete(key)
    if (Date.now() - found.startedAt > TRANSACTION_MS) {
      throw new AuthError('AUTH_TRANSACTION_EXPIRED', 'Start the sign-in again.')
    }
    return found
  }
  /** Adds an account to the user of a session that is still live in the browser. */
  const link = (
    live: AuthSession | undefined,
    { id, userId }: AuthSession,
    subject: string,
    setCookies: readonly string[],
  ): void => {
    if (live?.id !== id) {
      throw new AuthError('AUTH_SESSION_CHANGED', 'You were signed out meanwhile.', { setCookies })
    }
    const { accounts } = reach(store)
    const known = accounts.get(subject)
    if (known && known.userId !== userId) {
      throw new AuthError('AUTH_ACCOUNT_CONFLICT', 'It is of another user.', { setCookies })
    }
    if (!known) put(accounts, subject, newMemoryAccount(subject, userId))
  }
  const noLogOut = async (): Promise<never> => {
    throw new AuthError('AUTH_TRANSACTION_MISSING', 'There is no provider to log out of.')
  }

  return {
    async signIn(
      request,
      { providerId = MEMORY_PROVIDER.id, returnTo, maxAge, acrValues, linkTo },
    ) {
      if (providerId !== MEMORY_PROVIDER.id) {
        throw new AuthError('VALIDATION_ERROR', 'There is no such provider. Use memory.', {
          data: { formErrors: [], fieldErrors: { providerId: ['must be memory'] } },
        })
      }
      const [state, secret] = [randomSecret(), randomSecret()]
      const boundTo = maxAge !== undefined || acrValues ? current(request) : undefined
      put(reach(store).transactions, publicId(secret), {
        ...{ state, returnTo, startedAt: Date.now() },
        ...(acrValues && { acrValues }),
        ...(boundTo && { boundTo }),
        ...(linkTo && { linkTo }),
      })
      const parameters = new URLSearchParams({
        response_type: 'code',
        state,
        // No token endpoint will ever need the verifier.
        code_challenge: publicId(randomSecret()),
        code_challenge_method: 'S256',
        ...(maxAge !== undefined && { max_age: String(maxAge) }),
        ...(acrValues && { acr_values: acrValues.join(' ') }),
      })
      return {
        providerId,
        redirectUrl: provider(parameters),
        state,
        setCookies: [setCookie(cookieName(state), secret, { maxAge: TRANSACTION_MS / 1000 })],
      }
    },
    async handleCallback(request, query) {
      const { state, returnTo, acrValues, boundTo, linkTo } = take(
        request,
        query.get('state') ?? '',
      )
      const cleared = clearCookie(cookieName(state))
      const subject = query.get('code')
      if (subject === null) {
        const detail = 'The sign-in was declined.'
        throw new AuthError('AUTH_ACCESS_DENIED', detail, { setCookies: [cleared] })
      }
      if (subject === REFUSED_SUBJECT) {
        const detail = 'This account may not sign in here.'
        throw new AuthError('AUTH_NOT_ADMITTED', detail, { setCookies: [cleared] })
      }
      const { acr } = store.profiles.get(subject) ?? {}
      if (acrValues && (acr === undefined || !acrValues.includes(acr))) {
        const detail = 'The provider does not confirm the context class.'
        throw new AuthError('AUTH_STEP_UP_FAILED', detail, { setCookies: [cleared] })
      }
      if (boundTo && (current(request)?.id !== boundTo.id || boundTo.subject !== subject)) {
        const detail = 'Another user signed in. Nothing was changed.'
        throw new AuthError('AUTH_SESSION_CHANGED', detail, { setCookies: [cleared] })
      }
      if (linkTo) {
        link(current(request), linkTo, subject, [cleared])
        const { id: sessionId, userId } = linkTo
        const providerId = MEMORY_PROVIDER.id
        return { sessionId, userId, subject, providerId, returnTo, setCookies: [cleared] }
      }
      const { token, session } = open(request, subject)
      return {
        sessionId: session.id,
        userId: session.userId,
        subject,
        providerId: MEMORY_PROVIDER.id,
        returnTo,
        setCookies: [cleared, memoryCookie(store, token)],
      }
    },
    startLogout: noLogOut,
    finishLogout: noLogOut,
  }
}
