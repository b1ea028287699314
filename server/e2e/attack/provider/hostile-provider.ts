import { randomBytes } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Context } from 'oidc-provider'
import { CLAIMS_BY_SCOPE, claimsOf, DEMO_ACCOUNTS } from '../../../local/demo-accounts.js'
import { listenOnLoopback } from '../../../local/loopback.js'
import { interactionPath, providerInteraction } from '../../../local/provider-interaction.js'
import { loadOidcProvider } from '../../../local/quiet-oidc-provider.js'
import { createSigningKey, type SigningKey } from './signing.js'

/** Endpoints of the provider, and the redirect back through the browser. */
export type Endpoint = 'metadata' | 'jwks' | 'authorization' | 'token' | 'userinfo' | 'revocation'

/** A response on the wire; a body that is a function writes to the socket itself, or never does. */
export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string | Buffer | ((write: (chunk: string) => void) => void)
}

/** A request of the service as the provider saw it. */
export interface SeenRequest {
  endpoint: Endpoint
  headers: IncomingHttpHeaders
  form: URLSearchParams
}

/** Modifies an honest response. */
export type Tamper = (answer: Answer, provider: HostileProvider) => Answer | Promise<Answer>

/** Modifications by endpoint. */
export type Tampering = Partial<Record<Endpoint, Tamper>>

/** A real OpenID provider behind a proxy that can modify its responses. */
export interface HostileProvider {
  readonly issuer: string
  readonly client: { readonly clientId: string; readonly clientSecret: string }
  /** The key that its metadata publishes. */
  readonly key: SigningKey
  /** Every request of the service so far. */
  readonly requests: readonly SeenRequest[]
  /** Codes, verifiers, tokens and client secrets that went over the wire, in either direction. */
  readonly secrets: ReadonlySet<string>
  /** Number of modified responses so far; throws an error that occurred in a modification. */
  tampered(): number
  /** Replaces the modifications; `{}` makes the provider honest again. */
  tamper(tampering: Tampering): void
  stop(): Promise<void>
}

const SECRET_MEMBERS = [
  'access_token',
  'refresh_token',
  'id_token',
  'code',
  'code_verifier',
  'client_secret',
]

/** Starts a {@link HostileProvider} with the demo accounts; honest until told otherwise. */
export async function startHostileProvider(options: {
  redirectUri: string
  postLogoutRedirectUri: string
  /** Default: the claims are in the id_token, so that the userinfo endpoint is not needed. */
  claimsOnlyAtUserInfo?: boolean
}): Promise<HostileProvider> {
  const [createProvider, key, front] = await Promise.all([
    loadOidcProvider(),
    createSigningKey(),
    listenOnLoopback(0),
  ])
  const issuer = `http://localhost:${front.port}`
  const client = { clientId: 'test-client', clientSecret: randomBytes(16).toString('hex') }
  const real = createProvider(issuer, {
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        redirect_uris: [options.redirectUri],
        post_logout_redirect_uris: [options.postLogoutRedirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
      },
    ],
    jwks: { keys: [{ ...key.privateJwk }] },
    claims: CLAIMS_BY_SCOPE,
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    conformIdTokenClaims: options.claimsOnlyAtUserInfo ?? false,
    findAccount: (_ctx: unknown, id: string) => {
      const account = DEMO_ACCOUNTS.find((candidate) => candidate.id === id)
      return account && { accountId: id, claims: () => claimsOf(account, issuer) }
    },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true, allowedPolicy: () => true },
    },
    renderError: (ctx: Context, out: { error: string }) => {
      ctx.body = out.error
    },
    interactions: { url: (_ctx: unknown, { uid }: { uid: string }) => interactionPath(uid) },
    pkce: { required: () => true },
    issueRefreshToken: () => true,
    rotateRefreshToken: false,
    ttl: {
      AccessToken: 3600,
      AuthorizationCode: 60,
      Grant: 3600,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: 3600,
      Session: 3600,
    },
    cookies: {
      names: {
        session: `hostile_${front.port}_session`,
        interaction: `hostile_${front.port}_interaction`,
        resume: `hostile_${front.port}_resume`,
      },
      keys: [randomBytes(32).toString('base64url')],
    },
  })
  real.use(
    providerInteraction({
      provider: real,
      accounts: DEMO_ACCOUNTS,
      client: client.clientId,
      clientHref: issuer,
    }),
  )
  const inner = createServer(real.callback())
  await new Promise<void>((resolve, reject) => {
    inner.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const { port } = inner.address() as AddressInfo

  let tampering: Tampering = {}
  const requests: SeenRequest[] = []
  const secrets = new Set<string>([client.clientSecret])
  const defects: unknown[] = []
  let tampered = 0
  const keep = (values: URLSearchParams | Record<string, unknown>): void => {
    const read = (name: string): unknown =>
      values instanceof URLSearchParams ? values.get(name) : values[name]
    for (const value of SECRET_MEMBERS.map(read)) {
      if (typeof value === 'string' && value.length >= 8) secrets.add(value)
    }
  }
  const provider: HostileProvider = {
    issuer,
    client,
    key,
    requests,
    secrets,
    tampered: () => {
      if (defects.length > 0) throw defects.shift()
      return tampered
    },
    tamper(next) {
      tampering = next
    },
    async stop() {
      await front.close()
      inner.closeAllConnections()
      await new Promise<void>((resolve) => inner.close(() => resolve()))
    },
  }

  front.serve((incoming, outgoing) => {
    const answerIt = async (): Promise<void> => {
      const body = await readBody(incoming)
      const honest = await passOn(incoming, body, port)
      const endpoint = endpointOf(incoming, honest, options.redirectUri)
      if (endpoint === undefined) return send(honest)
      const form = new URLSearchParams(body.toString('utf8'))
      if (endpoint !== 'authorization') requests.push({ endpoint, headers: incoming.headers, form })
      keep(form)
      keep(members(honest))
      const tamper = tampering[endpoint]
      const answer = (await tamper?.(honest, provider)) ?? honest
      if (tamper) tampered += 1
      keep(members(answer))
      send(answer)
    }
    const send = ({ status, headers, body }: Answer): void => {
      if (typeof body === 'function') {
        return body((chunk) => {
          if (!outgoing.headersSent) outgoing.writeHead(status, headers)
          outgoing.write(chunk)
        })
      }
      outgoing.writeHead(status, headers).end(body)
    }
    // An error in this file must not look like a rejection by the service.
    answerIt().catch((error: unknown) => {
      defects.push(error)
      outgoing.destroy()
    })
  })
  return provider
}

async function readBody(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function passOn(incoming: IncomingMessage, body: Buffer, port: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method, url, headers } = incoming
    const outgoing = request(
      { host: '127.0.0.1', port, method, path: url, headers },
      (response) => {
        const {
          'transfer-encoding': _encoding,
          'content-length': _length,
          ...rest
        } = response.headers
        readBody(response).then(
          (text) => resolve({ status: response.statusCode ?? 500, headers: rest, body: text }),
          reject,
        )
      },
    )
    outgoing.once('error', reject).end(body)
  })
}

const ENDPOINTS: Record<string, Endpoint> = {
  '/.well-known/openid-configuration': 'metadata',
  '/jwks': 'jwks',
  '/token': 'token',
  '/me': 'userinfo',
  '/token/revocation': 'revocation',
}

function endpointOf(
  { url = '/' }: IncomingMessage,
  { headers: { location } }: Answer,
  redirectUri: string,
): Endpoint | undefined {
  if (typeof location === 'string' && location.startsWith(redirectUri)) return 'authorization'
  return ENDPOINTS[url.split('?', 1)[0] ?? '']
}

/** The members of a JSON response, or the parameters of a redirect. */
export function members({ headers: { location }, body }: Answer): Record<string, unknown> {
  if (typeof location === 'string') {
    return Object.fromEntries(new URL(location, 'http://relative').searchParams)
  }
  if (typeof body === 'function') return {}
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
