import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The user info of the provider, shaped like that of GitHub. */
export interface OAuth2Profile {
  id: number | string
  login: string
  name: string | null
  email: string | null
  avatar_url: string | null
  [member: string]: unknown
}

/** Options of {@link startOAuth2Provider}. */
export interface OAuth2ProviderOptions {
  clientId: string
  clientSecret: string
  redirectUris: readonly string[]
  /** Who is signed in at the provider. Default: the Octocat-like `mona`. */
  profile?: OAuth2Profile
  /** What /emails answers. Default: the profile's address, primary and verified. */
  emails?: readonly { email: string; primary: boolean; verified: boolean }[]
  /** /authorize first goes over another origin (another port). Default: false. */
  extraHop?: boolean
  /** Errors of /token come with status 200, as GitHub's do. Default: false. */
  errorsAs200?: boolean
  /** Token responses name no scope, as Facebook's do. Default: false. */
  namesNoScope?: boolean
  /** Adds a refresh token and this lifetime in seconds. Default: neither. */
  expiresIn?: number
}

/** A plain OAuth 2.0 provider: no id_token, no discovery. */
export interface OAuth2Provider {
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  readonly userInfoEndpoint: string
  readonly emailsEndpoint: string
  readonly revocationEndpoint: string
  /** Access and refresh tokens that were revoked, in order. */
  readonly revokedTokens: readonly string[]
  /** Changes the user who is signed in at the provider. */
  signInAs(profile: OAuth2Profile): void
  stop(): Promise<void>
}

interface Code {
  challenge: string
  redirectUri: string
  scope: string
  profile: OAuth2Profile
}

class OAuth2Error extends Error {
  constructor(
    readonly code: string,
    readonly status = 400,
  ) {
    super(code)
  }
}

const MONA: OAuth2Profile = {
  id: 583_231,
  login: 'mona',
  name: 'Mona Lisa',
  email: 'mona@example.test',
  avatar_url: 'https://images.example.test/mona.png',
}

/** Starts the provider on free ports of 127.0.0.1. It approves at once, and insists on PKCE S256. */
export async function startOAuth2Provider(options: OAuth2ProviderOptions): Promise<OAuth2Provider> {
  let profile = options.profile ?? MONA
  const codes = new Map<string, Code>()
  const tokens = new Map<string, { profile: OAuth2Profile; scope: string }>()
  const revokedTokens: string[] = []
  const main = await listen()
  const hop = options.extraHop ? await listen() : undefined

  const approve = (query: URLSearchParams): Reply => {
    const redirectUri = query.get('redirect_uri') ?? ''
    if (!options.redirectUris.includes(redirectUri)) throw new OAuth2Error('invalid_redirect_uri')
    if (query.get('client_id') !== options.clientId) throw new OAuth2Error('invalid_client')
    const challenge = query.get('code_challenge') ?? ''
    const target = new URL(redirectUri)
    const state = query.get('state')
    if (state !== null) target.searchParams.set('state', state)
    if (query.get('response_type') !== 'code') {
      target.searchParams.set('error', 'unsupported_response_type')
    } else if (query.get('code_challenge_method') !== 'S256' || challenge.length !== 43) {
      target.searchParams.set('error', 'invalid_request')
      target.searchParams.set('error_description', 'PKCE with S256 is required')
    } else {
      const code = randomBytes(16).toString('hex')
      codes.set(code, { challenge, redirectUri, scope: query.get('scope') ?? '', profile })
      target.searchParams.set('code', code)
    }
    return { redirect: target.href }
  }

  const issue = (owner: { profile: OAuth2Profile; scope: string }): Reply => {
    const accessToken = `at_${randomBytes(16).toString('hex')}`
    tokens.set(accessToken, owner)
    const refreshToken = `rt_${randomBytes(16).toString('hex')}`
    if (options.expiresIn !== undefined) tokens.set(refreshToken, owner)
    return {
      json: {
        access_token: accessToken,
        token_type: 'bearer',
        ...(!options.namesNoScope && { scope: owner.scope }),
        ...(options.expiresIn !== undefined && {
          refresh_token: refreshToken,
          expires_in: options.expiresIn,
        }),
      },
    }
  }

  const token = (form: URLSearchParams): Reply => {
    if (form.get('grant_type') === 'refresh_token') {
      const refreshToken = form.get('refresh_token') ?? ''
      const owner = refreshToken.startsWith('rt_') ? tokens.get(refreshToken) : undefined
      if (!owner) throw new OAuth2Error('invalid_grant')
      tokens.delete(refreshToken)
      return issue(owner)
    }
    if (form.get('grant_type') !== 'authorization_code') {
      throw new OAuth2Error('unsupported_grant_type')
    }
    const given = form.get('code') ?? ''
    const code = codes.get(given)
    codes.delete(given)
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    if (code?.challenge !== challenge || code.redirectUri !== form.get('redirect_uri')) {
      throw new OAuth2Error('invalid_grant')
    }
    return issue(code)
  }

  const bearer = (request: IncomingMessage): OAuth2Profile => {
    const [, accessToken = ''] =
      /^Bearer (at_\w+)$/i.exec(request.headers.authorization ?? '') ?? []
    const owner = tokens.get(accessToken)
    if (!owner) throw new OAuth2Error('invalid_token', 401)
    return owner.profile
  }

  const route = async (request: IncomingMessage): Promise<Reply> => {
    const url = new URL(request.url ?? '/', main.origin)
    switch (`${request.method} ${url.pathname}`) {
      case 'GET /authorize':
        return hop ? { redirect: `${hop.origin}/hop${url.search}` } : approve(url.searchParams)
      case 'GET /approve':
        return approve(url.searchParams)
      case 'POST /token':
        return token(await readClientForm(request, options))
      case 'POST /revoke': {
        const given = (await readClientForm(request, options)).get('token') ?? ''
        if (tokens.delete(given)) revokedTokens.push(given)
        return { json: {} }
      }
      case 'GET /user':
        return { json: bearer(request) }
      case 'GET /emails': {
        const { email } = bearer(request)
        const own = email === null ? [] : [{ email, primary: true, verified: true }]
        return { json: options.emails ?? own }
      }
      default:
        throw new OAuth2Error('not_found', 404)
    }
  }

  main.server.on('request', answer(route, options.errorsAs200 ?? false))
  hop?.server.on(
    'request',
    answer(async (request) => {
      const { search } = new URL(request.url ?? '/', hop.origin)
      return { redirect: `${main.origin}/approve${search}` }
    }, false),
  )
  return {
    authorizationEndpoint: `${main.origin}/authorize`,
    tokenEndpoint: `${main.origin}/token`,
    userInfoEndpoint: `${main.origin}/user`,
    emailsEndpoint: `${main.origin}/emails`,
    revocationEndpoint: `${main.origin}/revoke`,
    revokedTokens,
    signInAs(next) {
      profile = next
    },
    async stop() {
      await close(main.server)
      if (hop) await close(hop.server)
    },
  }
}

type Reply = { redirect: string } | { json: unknown }

function answer(
  route: (request: IncomingMessage) => Promise<Reply>,
  errorsAs200: boolean,
): RequestListener {
  return (request, response) => {
    route(request).then(
      (reply) => {
        if ('redirect' in reply) response.writeHead(302, { location: reply.redirect }).end()
        else send(200, reply.json)
      },
      (error: unknown) => {
        const { code, status } =
          error instanceof OAuth2Error ? error : new OAuth2Error('server_error', 500)
        send(errorsAs200 && status === 400 ? 200 : status, { error: code })
      },
    )
    const send = (status: number, json: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json))
    }
  }
}

/** The form of an authenticated client (RFC 6749 section 2.3.1), by header or by body. */
async function readClientForm(
  request: IncomingMessage,
  { clientId, clientSecret }: OAuth2ProviderOptions,
): Promise<URLSearchParams> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
  const [, basic] = /^Basic (.+)$/i.exec(request.headers.authorization ?? '') ?? []
  const [id, secret] =
    basic === undefined
      ? [form.get('client_id'), form.get('client_secret')]
      : Buffer.from(basic, 'base64')
          .toString('utf8')
          .split(':')
          .map((part) => decodeURIComponent(part.replaceAll('+', ' ')))
  if (id !== clientId || secret !== clientSecret) throw new OAuth2Error('invalid_client', 401)
  return form
}

async function listen(): Promise<{ server: Server; origin: string }> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
