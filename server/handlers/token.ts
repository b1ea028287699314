import type {
  ProviderToken,
  ProviderTokenInput,
  PublicKeySet,
  TokenInput,
  TokenResponse,
} from '@netscript/auth-contract'
import { AuthError, type AuthnRequest, isAuthError } from '@netscript/plugin-auth-core'
import { withCookiesOnly } from '@netscript/plugin-auth-core/internal'
import type { TokenIssuer } from '../tokens/token-issuer.js'
import { ok, type Reply } from '../engine/message.js'
import { type HandlerContext, requirePart } from './context.js'
import { requireSignedIn } from './session.js'
import type { ServiceKey, ServiceKeys } from '../tokens/service-keys.js'

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

/** Scopes of the sign-in itself: they show no more than the session does. */
const SIGN_IN_SCOPES: readonly string[] = ['openid', 'profile', 'email', 'offline_access']

/** POST /provider-token: the provider's token of a user, for a service with a key. */
export async function providerToken(
  context: HandlerContext,
  request: AuthnRequest,
  { providerId, scopes = [], subjectToken }: ProviderTokenInput,
): Promise<Reply<200, ProviderToken>> {
  const { backend } = context
  const keys = keysOf(context)
  const key = await requireKey(keys, request)
  if (providerId !== undefined) checkProvider(key, providerId)
  checkScopes(key, scopes)
  const { sessionId, setCookies } = await userOf(context, request, { key, subjectToken })
  const getProviderToken = requirePart(backend, backend.getProviderToken?.bind(backend), {
    operation: 'providerToken',
    reason: 'It keeps no tokens of providers.',
  })
  const token = await getProviderToken({ id: sessionId }, { providerId, scopes })
  checkProvider(key, token.providerId)
  checkScopes(key, token.scopes)
  await keys.issued(key, { sessionId, providerId: token.providerId })
  return ok(token, setCookies)
}

function keysOf({ serviceKeys }: HandlerContext): ServiceKeys {
  if (serviceKeys) return serviceKeys
  throw new AuthError('NOT_FOUND', 'This service returns no tokens of providers.', {
    cause: new Error(
      'To return them to services with a key, set NETSCRIPT_AUTH_PROVIDER_TOKENS=true (serviceKeys of the API).',
    ),
  })
}

async function requireKey(keys: ServiceKeys, request: AuthnRequest): Promise<ServiceKey> {
  const [, presented = ''] = /^Bearer +(\S+)$/i.exec(request.header('authorization') ?? '') ?? []
  const key = await keys.authenticate(presented)
  if (key) return key
  throw new AuthError(
    'UNAUTHORIZED',
    'Send a valid service key as the bearer token of the Authorization header.',
  )
}

function checkProvider({ id, providers }: ServiceKey, providerId: string): void {
  if (providers.includes(providerId)) return
  throw new AuthError('FORBIDDEN', 'The service key is not for this provider.', {
    data: { missingScopes: [], missingRoles: [] },
    cause: new Error(`The service key ${id} is not for the provider "${providerId}".`),
  })
}

/** A token is never handed out with more scopes than the key allows, whichever were requested. */
function checkScopes({ id, scopes: allowed }: ServiceKey, scopes: readonly string[]): void {
  const excess = scopes.filter(
    (scope) => !allowed.includes(scope) && !SIGN_IN_SCOPES.includes(scope),
  )
  if (excess.length === 0) return
  throw new AuthError('FORBIDDEN', 'The service key is not for all scopes of the token.', {
    data: { missingScopes: excess, missingRoles: [] },
    cause: new Error(`The service key ${id} is not for the scopes: ${excess.join(' ')}.`),
  })
}

/** The session of the user, by a token for the audience of the key or by the session cookie. */
async function userOf(
  context: HandlerContext,
  request: AuthnRequest,
  { key, subjectToken }: { key: ServiceKey; subjectToken: string | undefined },
): Promise<{ sessionId: string; setCookies: readonly string[] }> {
  if (subjectToken === undefined) {
    const { session, setCookies } = await requireSignedIn(
      context,
      withCookiesOnly(request),
      "Send the user's session cookie, or a subjectToken.",
    )
    return { sessionId: session.id, setCookies }
  }
  const sessionId = await context.tokens?.verify(subjectToken, key.audience)
  if (sessionId !== undefined) return { sessionId, setCookies: [] }
  throw new AuthError(
    'UNAUTHORIZED',
    'The subjectToken is not valid. Send an unexpired token for the audience of the service key.',
  )
}
