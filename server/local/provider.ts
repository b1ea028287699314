import { generateKeyPair, randomBytes, randomUUID } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { promisify } from 'node:util'
import { decodeProtectedHeader } from 'jose'
import type Provider from 'oidc-provider'
import type { Configuration, Context, Middleware } from 'oidc-provider'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { CLAIMS_BY_SCOPE, claimsOf, DEMO_ACCOUNTS, type DemoAccount } from './demo-accounts.js'
import { listenOnLoopback } from './loopback.js'
import { interactionPath, providerInteraction } from './provider-interaction.js'
import { logoutPage, messagePage } from './provider-pages.js'
import { loadOidcProvider } from './quiet-oidc-provider.js'

export type { DemoAccount } from './demo-accounts.js'
export { loadOidcProvider } from './quiet-oidc-provider.js'

/** Options of {@link startLocalProvider}. */
export interface LocalProviderOptions {
  /** Default: 0, any free port. */
  port?: number
  /** The host of the issuer. Default: `localhost`. */
  issuerHost?: 'localhost' | '127.0.0.1'
  clientId: string
  clientSecret: string
  redirectUris: readonly string[]
  postLogoutRedirectUris: readonly string[]
  /** The scopes that it can grant. Default: openid, profile, email and offline_access. */
  scopes?: readonly string[]
  /** Accounts that can sign in. Default: {@link DEMO_ACCOUNTS}. */
  accounts?: readonly DemoAccount[]
  /** Lifetime of an access token in seconds. Default: 3600. */
  accessTokenTtlSeconds?: number
  /** URL that receives logout tokens (OpenID Connect Back-Channel Logout 1.0). Default: none are sent. */
  backchannelLogoutUri?: string
  /** Modifies the configuration of oidc-provider; for tests. */
  configure?: (configuration: Configuration) => Configuration
}

/** A running local provider. */
export interface LocalProvider {
  readonly issuer: string
  readonly accounts: readonly DemoAccount[]
  /** Stops listening, closes every connection and discards all state. */
  stop(): Promise<void>
}

/**
 * Starts an OpenID provider with demo accounts and no passwords. It binds to loopback only. Keys,
 * sessions and tokens are kept in memory and lost on restart.
 *
 * @throws AuthConfigurationError when the port is in use.
 *
 * @example
 * ```ts
 * const provider = await startLocalProvider({
 *   clientId: 'app',
 *   clientSecret: 'secret',
 *   redirectUris: ['http://localhost:8094/api/v1/auth/callback'],
 *   postLogoutRedirectUris: [],
 * })
 * provider.issuer // 'http://localhost:43121'
 * ```
 */
export async function startLocalProvider(options: LocalProviderOptions): Promise<LocalProvider> {
  const { port = 0, issuerHost = 'localhost', accounts = DEMO_ACCOUNTS } = options
  const [createProvider, jwks] = await Promise.all([loadOidcProvider(), signingKeys()])
  const server = await listenOnLoopback(port).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EADDRINUSE') throw cause
    throw new AuthConfigurationError(
      `Port ${port}, for the local provider, is in use. Set NETSCRIPT_AUTH_LOCAL_PROVIDER_PORT to another one, or to 0 for any that is free.`,
      { cause },
    )
  })
  try {
    const issuer = `http://${issuerHost}:${server.port}`
    const client = new URL(options.redirectUris[0] ?? issuer)
    const given = configuration(options, { issuer, accounts, jwks, port: server.port, client })
    const configured = options.configure?.(given) ?? given
    const provider = createProvider(issuer, configured)
    provider.use(pageHeaders(options.redirectUris))
    provider.use(forgetUnknownHint(new Set(configured.jwks.keys.map(({ kid }) => kid))))
    provider.use(
      providerInteraction({ provider, accounts, client: client.host, clientHref: client.origin }),
    )
    server.serve(onlyFor(new URL(issuer).host, provider))
    return { issuer, accounts, stop: () => server.close() }
  } catch (error) {
    await server.close()
    throw error
  }
}

function configuration(
  options: LocalProviderOptions,
  context: {
    issuer: string
    accounts: readonly DemoAccount[]
    jwks: Configuration['jwks']
    port: number
    client: URL
  },
): Configuration {
  const { issuer, accounts, jwks, port, client } = context
  const {
    backchannelLogoutUri,
    accessTokenTtlSeconds = 3600,
    scopes = ['openid', 'profile', 'email', 'offline_access'],
  } = options
  const back = { href: client.origin, label: 'Back to the service' }
  return {
    clients: [
      {
        client_id: options.clientId,
        client_secret: options.clientSecret,
        client_name: client.host,
        redirect_uris: [...options.redirectUris],
        post_logout_redirect_uris: [...options.postLogoutRedirectUris],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        ...(backchannelLogoutUri !== undefined && {
          backchannel_logout_uri: backchannelLogoutUri,
          backchannel_logout_session_required: true,
        }),
      },
    ],
    jwks,
    claims: CLAIMS_BY_SCOPE,
    scopes: [...scopes],
    discovery: { prompt_values_supported: ['none', 'login', 'consent', 'select_account'] },
    // Like the large providers: claims are in the id_token as well as at the userinfo endpoint.
    conformIdTokenClaims: false,
    findAccount: (_ctx: unknown, id: string) => {
      const account = accounts.find((candidate) => candidate.id === id)
      return account && { accountId: id, claims: () => claimsOf(account, issuer) }
    },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true, allowedPolicy: () => true },
      backchannelLogout: { enabled: backchannelLogoutUri !== undefined },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx: Context, form: string) => {
          ctx.body = logoutPage(form, client.host)
        },
        postLogoutSuccessSource: (ctx: Context) => {
          ctx.body = messagePage({
            title: 'You are signed out',
            text: 'You can close this page.',
            link: back,
          })
        },
      },
    },
    interactions: { url: (_ctx: unknown, { uid }: { uid: string }) => interactionPath(uid) },
    renderError: (ctx: Context, out: { error: string; error_description?: string }) => {
      ctx.type = 'html'
      ctx.body = messagePage({
        title: 'This does not work',
        text: out.error_description ? `${out.error}: ${out.error_description}` : out.error,
        link: back,
      })
    },
    pkce: { required: () => true },
    // Even without offline_access, so that token refresh can be tested.
    issueRefreshToken: () => true,
    expiresWithSession: () => false,
    ttl: {
      AccessToken: accessTokenTtlSeconds,
      AuthorizationCode: 60,
      Grant: 14 * 86_400,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: 14 * 86_400,
      Session: 14 * 86_400,
    },
    cookies: {
      // Cookies ignore the port, so distinct names separate several providers on this machine.
      names: {
        session: `local_provider_${port}_session`,
        interaction: `local_provider_${port}_interaction`,
        resume: `local_provider_${port}_resume`,
      },
      keys: [randomBytes(32).toString('base64url')],
    },
    clientBasedCORS: () => false,
    // The library's default fetch rejects loopback addresses.
    fetch: (url: string, { dispatcher: _, ...init }: RequestInit & { dispatcher?: unknown }) =>
      fetch(url, init),
  }
}

async function signingKeys(): Promise<Configuration['jwks']> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  const key = privateKey.export({ format: 'jwk' })
  return { keys: [{ ...key, kid: randomUUID(), use: 'sig', alg: 'RS256' }] }
}

/** Accepts its own host name only, which prevents DNS rebinding. */
function onlyFor(host: string, provider: Provider): RequestListener {
  const answer = provider.callback()
  return (req, res) => {
    if (req.headers.host === host) return answer(req, res)
    res.writeHead(421, { 'Content-Type': 'text/plain', Connection: 'close' })
    res.end(`This provider is at http://${host}.\n`)
  }
}

function pageHeaders(redirectUris: readonly string[]): Middleware {
  const origins = new Set(redirectUris.map((uri) => new URL(uri).origin))
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    // Chromium checks every redirect that follows a form submission, up to the final return target.
    `form-action 'self' https: http://localhost:* http://127.0.0.1:* ${[...origins].join(' ')}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
  return async (ctx, next) => {
    ctx.set('Content-Security-Policy', policy)
    ctx.set('Referrer-Policy', 'same-origin')
    ctx.set('X-Content-Type-Options', 'nosniff')
    await next()
  }
}

/**
 * Drops an id_token_hint that was signed before the last restart: the provider would answer with an
 * error, but the user should return to the service.
 */
function forgetUnknownHint(kids: ReadonlySet<string | undefined>): Middleware {
  return async (ctx, next) => {
    const { id_token_hint: hint, ...others } = ctx.query
    if (ctx.path === '/session/end' && typeof hint === 'string' && !kids.has(keyIdOf(hint))) {
      ctx.query = others
    }
    await next()
  }
}

function keyIdOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid
  } catch {
    return undefined
  }
}
