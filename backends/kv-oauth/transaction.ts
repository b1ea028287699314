import {
  AuthError,
  type AuthnRequest,
  clearCookie,
  type KeyPurpose,
  setCookie,
  singleCookie,
} from '@netscript/plugin-auth-core'
import { publicId, randomSecret, seal, unseal } from '@netscript/plugin-auth-core/internal'
import type { KvOAuthContext } from './context.js'

/** Maximum number of open transactions of a kind per browser; the oldest are evicted. */
const MAX_PER_BROWSER = 5

/** A kind of single-use, browser-bound transaction. */
export interface TransactionKind {
  readonly cookiePrefix: string
  readonly purpose: KeyPurpose
  readonly ttlMs: number
  /** Whether a later write of the flow is flushed to disk anyway. */
  readonly flushedLater: boolean
  /** Advice for the user when it was used or has expired. */
  readonly advice: string
}

/** From signin to callback (RFC 9700 section 4.7: bound to the user agent). */
export const SIGN_IN: TransactionKind = {
  cookiePrefix: 'ns_txn_',
  purpose: 'sign-in-transaction',
  ttlMs: 10 * 60_000,
  flushedLater: true,
  advice:
    'The sign-in was cancelled, is complete, or was started in another browser. Start it again.',
}

/** From signout to the provider's end_session_endpoint. */
export const LOG_OUT_TICKET: TransactionKind = {
  cookiePrefix: 'ns_logout_',
  purpose: 'log-out-transaction',
  ttlMs: 60_000,
  flushedLater: false,
  advice: 'You are signed out here. To sign out at the provider too, do it on its own page.',
}

/** From the end_session_endpoint back to the return address. */
export const LOG_OUT_RETURN: TransactionKind = { ...LOG_OUT_TICKET, ttlMs: 10 * 60_000 }

/**
 * The cookie of a transaction contains its secret; the handle (state, ticket) in the URL determines
 * the name of the cookie. The URL alone is useless to an attacker, and tabs do not interfere.
 */
function cookieName(context: KvOAuthContext, kind: TransactionKind, handle: string): string {
  return `${cookiePrefix(context, kind)}${publicId(handle).slice(0, 16)}`
}

function cookiePrefix({ cookies }: KvOAuthContext, kind: TransactionKind): string {
  return `${cookies.sessionName.startsWith('__Host-') ? '__Host-' : ''}${kind.cookiePrefix}`
}

/** Opens a transaction; returns its handle and the cookies that bind it to the browser. */
export async function openTransaction<Payload extends object>(
  context: KvOAuthContext,
  kind: TransactionKind,
  request: AuthnRequest,
  payload: Payload,
): Promise<{ handle: string; setCookies: readonly string[] }> {
  const handle = randomSecret()
  const secret = randomSecret()
  const key = publicId(secret)
  const sealed = seal(context.keyring, kind.purpose, key, JSON.stringify(payload))
  await context.transactions.put(
    key,
    { stateHash: publicId(handle), sealed, flushedLater: kind.flushedLater },
    kind.ttlMs,
    request.rateLimit,
  )
  const { secure } = context.cookies
  // Browsers send older cookies first (RFC 6265 section 5.4).
  const held = request.cookieNames().filter((name) => name.startsWith(cookiePrefix(context, kind)))
  const evicted = held.slice(0, Math.max(0, held.length - MAX_PER_BROWSER + 1))
  return {
    handle,
    setCookies: [
      ...evicted.map((name) => clearCookie(name, { secure })),
      setCookie(cookieName(context, kind, handle), secret, { secure, maxAge: kind.ttlMs / 1000 }),
    ],
  }
}

/**
 * Consumes a transaction. It works once, in the browser that opened it, until it expires.
 * @throws AuthError `AUTH_TRANSACTION_MISSING` if this browser has no secret for the handle,
 * `AUTH_TRANSACTION_EXPIRED` if the transaction was used or has expired.
 */
export async function takeTransaction<Payload extends object>(
  context: KvOAuthContext,
  kind: TransactionKind,
  request: AuthnRequest,
  handle: string | undefined,
): Promise<{ payload: Payload; setCookies: readonly string[] }> {
  if (handle === undefined) throw new AuthError('AUTH_TRANSACTION_MISSING', kind.advice)
  const name = cookieName(context, kind, handle)
  const secret = singleCookie(request, name)
  if (!secret) throw new AuthError('AUTH_TRANSACTION_MISSING', kind.advice)
  const setCookies = [clearCookie(name, { secure: context.cookies.secure })]
  const key = publicId(secret)
  const sealed = await context.transactions.take(key, publicId(handle), request.rateLimit)
  const text = sealed === undefined ? undefined : unseal(context.keyring, kind.purpose, key, sealed)
  if (text === undefined) {
    if (sealed !== undefined) {
      context.log.warn(
        { code: 'AUTH_KEY_MISSING', purpose: kind.purpose },
        'A transaction was sealed with a key that is no longer in the keyring.',
      )
    }
    throw new AuthError('AUTH_TRANSACTION_EXPIRED', kind.advice, { setCookies })
  }
  return { payload: JSON.parse(text) as Payload, setCookies }
}
