import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { type AuthnRequest, toAuthnRequest } from '../../request.js'
import type { KvOAuthBackend } from '../backend.js'
import type { OAuthProvider, OAuthProviderOptions } from '../provider.js'
import { defineOAuthProvider } from '../define-provider.js'
import { type JsonServerAnswer, type JsonServerRequest, startJsonServer } from './json-server.js'

const REDIRECT_URI = 'http://localhost:8094/api/v1/auth/callback'

/** A provider with scripted responses. It signs id_tokens with the key that it publishes. */
export interface ScriptedProvider {
  readonly issuer: string
  /** All requests so far. */
  readonly requests: readonly JsonServerRequest[]
  /** Claims to add to every id_token; `undefined` omits a required one. */
  claims: Record<string, unknown>
  /** Changes a token response. @default unchanged */
  token: (
    response: Readonly<Record<string, unknown>>,
    form: URLSearchParams,
  ) => JsonServerAnswer | Promise<JsonServerAnswer>
  /** The response of the user info endpoint. @default the subject */
  userInfo: () => JsonServerAnswer | Promise<JsonServerAnswer>
  /** Overrides the response of the keys. @default none */
  jwks: (() => JsonServerAnswer) | undefined
  /** The list of addresses at `/emails`. @default an empty list */
  emails: () => JsonServerAnswer
  /** The list of organizations at `/orgs`. @default an empty list */
  organizations: (request: JsonServerRequest) => JsonServerAnswer
  /** The provider with an issuer: OpenID Connect. */
  oidc(options?: Partial<OAuthProviderOptions>): OAuthProvider
  /** The same endpoints without an issuer: plain OAuth 2.0. */
  oauth(options?: Partial<OAuthProviderOptions>): OAuthProvider
  /** Resets all scripted responses. */
  reset(): void
  close(): Promise<void>
}

/** Starts a {@link ScriptedProvider} on a free loopback port. */
export async function startScriptedProvider(): Promise<ScriptedProvider> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'key', alg: 'RS256', use: 'sig' }
  const idToken = (nonce: string | null): Promise<string> => {
    const iat = Math.floor(Date.now() / 1000)
    return new SignJWT({
      ...{ iss: issuer, aud: 'client', iat, exp: iat + 3600, sub: 'ada' },
      ...(nonce !== null && { nonce }),
      ...scripted.claims,
    })
      .setProtectedHeader({ alg: 'RS256', kid: 'key' })
      .sign(privateKey)
  }
  const server = await startJsonServer(async (request) => {
    const { path, form } = request
    switch (path) {
      case '/jwks':
        return scripted.jwks?.() ?? { json: { keys: [jwk] } }
      case '/token': {
        const response = {
          access_token: randomUUID(),
          token_type: 'Bearer',
          expires_in: SHORT_LIFETIME_SECONDS,
          refresh_token: randomUUID(),
          // signInAt sends the nonce as the code.
          id_token: await idToken(form.get('code')),
        }
        return scripted.token(response, form)
      }
      case '/userinfo':
        return scripted.userInfo()
      case '/emails':
        return scripted.emails()
      case '/orgs':
        return scripted.organizations(request)
      default:
        return { json: metadata }
    }
  })
  const issuer = server.origin
  const endpoints = {
    authorizationEndpoint: `${issuer}/authorize`,
    tokenEndpoint: `${issuer}/token`,
    userInfoEndpoint: `${issuer}/userinfo`,
  }
  const metadata = {
    issuer,
    authorization_endpoint: endpoints.authorizationEndpoint,
    token_endpoint: endpoints.tokenEndpoint,
    userinfo_endpoint: endpoints.userInfoEndpoint,
    jwks_uri: `${issuer}/jwks`,
  }
  const client = { clientId: 'client', clientSecret: 'secret', redirectUri: REDIRECT_URI }
  const defaults = (): Pick<
    ScriptedProvider,
    'claims' | 'token' | 'userInfo' | 'jwks' | 'emails' | 'organizations'
  > => ({
    claims: { name: 'Ada', email: 'ada@example.test' },
    token: (json) => ({ json }),
    userInfo: () => ({ json: { sub: scripted.claims.sub ?? 'ada', id: 'ada' } }),
    jwks: undefined,
    emails: () => ({ json: [] }),
    organizations: () => ({ json: [] }),
  })
  const scripted: ScriptedProvider = {
    issuer,
    requests: server.requests,
    ...defaults(),
    oidc: (options) => defineOAuthProvider({ id: 'oidc', ...client, issuer, ...options }),
    oauth: (options) =>
      defineOAuthProvider({ id: 'oauth', ...client, ...endpoints, scopes: ['user'], ...options }),
    reset: () => void Object.assign(scripted, defaults()),
    close: () => server.close(),
  }
  return scripted
}

/** Lifetime of the access tokens of a scripted provider. */
const SHORT_LIFETIME_SECONDS = 30

/** Time until they are due for a refresh, in milliseconds. */
export const RENEWAL_DUE_MS = SHORT_LIFETIME_SECONDS * 500

/** Signs in at a scripted provider. Returns a request of the signed-in browser. */
export async function signInAt(
  backend: KvOAuthBackend,
  input: Partial<SignInInput> = {},
  browser = toAuthnRequest({ headers: {} }),
): Promise<AuthnRequest> {
  const finish = await startSignInAt(backend, input, browser)
  return finish(browser)
}

type SignInInput = Parameters<KvOAuthBackend['interactive']['signIn']>[1]

/**
 * Starts a sign-in in a browser. The returned function completes it with the session of `at`, by a
 * code or another response of the provider.
 */
export async function startSignInAt(
  { interactive }: KvOAuthBackend,
  input: Partial<SignInInput>,
  browser: AuthnRequest,
): Promise<(at: AuthnRequest, response?: Record<string, string>) => Promise<AuthnRequest>> {
  const started = await interactive.signIn(browser, {
    returnTo: 'http://localhost:8094/',
    ...input,
  })
  const { searchParams } = new URL(started.redirectUrl)
  const code = searchParams.get('nonce') ?? 'code'
  const redirectUri = searchParams.get('redirect_uri') ?? REDIRECT_URI
  return async (at, response = { code }) => {
    const completed = await interactive.handleCallback(
      withCookies([...(at.header('cookie') ?? '').split('; '), ...started.setCookies], redirectUri),
      new URLSearchParams({ state: started.state, ...response }),
    )
    return withCookies(completed.setCookies)
  }
}

function withCookies(setCookies: readonly string[], url = REDIRECT_URI): AuthnRequest {
  const cookie = setCookies
    .map((one) => one.split(';', 1)[0])
    .filter((pair) => pair !== undefined && !/^$|=$/.test(pair))
    .join('; ')
  return toAuthnRequest({ url, headers: { cookie } })
}
