import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A real OpenID provider on a free loopback port, for tests. Every login name has an account. */
export interface OidcServer {
  issuer: string
  /** Number of reads of the metadata. */
  discoveries(): number
  /** Number of reads of the user info. */
  userInfos(): number
  /** Signs in as `login` without a browser and returns the redirect to the client. */
  signIn(authorizationUrl: URL, login: string): Promise<URL>
  close(): Promise<void>
}

type ProviderClass = new (
  issuer: string,
  configuration: Record<string, unknown>,
) => { callback(): RequestListener }

/** Starts an {@link OidcServer} with one confidential client, `client` with the secret `secret`. */
export async function startOidcServer(options: {
  redirectUri: string
  claimsInIdToken: boolean
}): Promise<OidcServer> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  // The package has no types. A variable as its name keeps the compiler from resolving them.
  const name: string = 'oidc-provider'
  const { default: Provider } = (await import(name)) as { default: ProviderClass }
  const callback = new Provider(issuer, {
    clients: [
      {
        client_id: 'client',
        client_secret: 'secret',
        redirect_uris: [options.redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
    cookies: { keys: ['for tests only'] },
    claims: { email: ['email', 'email_verified'], profile: ['name', 'locale'] },
    conformIdTokenClaims: !options.claimsInIdToken,
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        name: `Name of ${id}`,
        locale: 'en',
        email: `${id}@example.org`,
        email_verified: true,
      }),
    }),
  }).callback()
  let [discoveries, userInfos] = [0, 0]
  server.on('request', (request, response) => {
    if (request.url?.endsWith('/.well-known/openid-configuration')) discoveries += 1
    if (request.url === '/me') userInfos += 1
    callback(request, response)
  })
  return {
    issuer,
    discoveries: () => discoveries,
    userInfos: () => userInfos,
    signIn: (url, login) => walk(url, login, options.redirectUri),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Follows redirects and submits the login and consent pages like a browser. */
async function walk(start: URL, login: string, redirectUri: string): Promise<URL> {
  const cookies = new Map<string, string>()
  let url = start
  let form: URLSearchParams | undefined
  for (let hop = 0; hop < 20; hop += 1) {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([key, value]) => `${key}=${value}`).join('; ') },
      ...(form && { method: 'POST', body: form }),
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';')
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
    }
    const location = response.headers.get('location')
    const page = await response.text()
    form = undefined
    if (location) {
      url = new URL(location, url)
      if (url.href.startsWith(redirectUri)) return url
      continue
    }
    const action = /<form[^>]*action="([^"]+)"/.exec(page)?.[1]
    const prompt = /name="prompt" value="([^"]+)"/.exec(page)?.[1]
    if (!action || !prompt) throw new Error(`No page to answer: ${response.status} ${page}`)
    url = new URL(action, url)
    form = new URLSearchParams({ prompt, ...(prompt === 'login' && { login, password: 'x' }) })
  }
  throw new Error('Too many redirects.')
}
