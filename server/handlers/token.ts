import type { PublicKeySet, TokenInput, TokenResponse } from '@netscript/auth-contract'
import { AuthError, type AuthnRequest, isAuthError } from '@netscript/plugin-auth-core'
import { withCookiesOnly } from '@netscript/plugin-auth-core/internal'
import type { TokenIssuer } from '../tokens/token-issuer.js'
import { ok, type Reply } from '../reply.js'
import type { HandlerContext } from './context.js'
import { requireSignedIn } from './session.js'

/**
 * POST /token: a signed token that identifies the caller to one audience. Only the session cookie
 * counts: a service that receives a bearer token could otherwise exchange it for another audience.
 */
export async function token(
  context: HandlerContext,
  request: AuthnRequest,
  { audience }: TokenInput,
): Promise<Reply<200, TokenResponse>> {
  const tokens = issuerOf(context)
  tokens.checkAudience(audience)
  const caller = await requireSignedIn(
    context,
    withCookiesOnly(request),
    'Sign in first. A token is issued for the session cookie and no other credential.',
  )
  return ok(await issueTo(caller, () => tokens.issue(caller.session, audience)), caller.setCookies)
}

/** Issues a token. The session may have been renewed, so an error carries its new cookie. */
export async function issueTo(
  { setCookies }: { readonly setCookies: readonly string[] },
  issue: () => Promise<TokenResponse>,
): Promise<TokenResponse> {
  try {
    return await issue()
  } catch (error) {
    if (!isAuthError(error)) throw error
    const { code, detail, cause } = error
    throw new AuthError(code, detail, { cause, setCookies })
  }
}

/** GET /.well-known/jwks.json: the keys that verify tokens. */
export async function jwks(context: HandlerContext): Promise<Reply<200, PublicKeySet>> {
  // Cacheable: the same for every caller, and a verifier without the right key fetches again.
  return { ...ok(await issuerOf(context).publicKeys()), cache: 'public, max-age=300' }
}

/** @throws AuthError `NOT_FOUND` when no tokens are issued. */
export function issuerOf({ tokens }: HandlerContext): TokenIssuer {
  if (tokens) return tokens
  throw new AuthError('NOT_FOUND', 'This service issues no tokens for other services.', {
    cause: new Error(
      'To issue tokens, list the services that they are for in NETSCRIPT_AUTH_TOKEN_AUDIENCES (tokens of the API).',
    ),
  })
}
