import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { emailOf } from './people.mjs'

/**
 * An OpenID provider that approves at once and costs little, so that it is not what is measured. The
 * `X-Person` header names the user. Keys are ES256, because RSA signatures would dominate the cost.
 */
const codes = new Map()
const { publicKey, privateKey } = await generateKeyPair('ES256')
const key = { ...(await exportJWK(publicKey)), kid: 'bench', alg: 'ES256', use: 'sig' }

const server = createServer((req, res) => {
  const url = new URL(req.url, issuer())
  const route = ROUTES[url.pathname]
  if (!route) return void res.writeHead(404).end()
  Promise.resolve(route(req, res, url)).catch((error) => {
    process.stderr.write(`provider: ${error.stack}\n`)
    if (!res.headersSent) res.writeHead(500)
    res.end()
  })
})
const issuer = () => `http://127.0.0.1:${server.address().port}`

const json = (res, value, status = 200) => {
  const text = JSON.stringify(value)
  res.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
  })
  res.end(text)
}

const ROUTES = {
  '/.well-known/openid-configuration': (_req, res) =>
    json(res, {
      issuer: issuer(),
      authorization_endpoint: `${issuer()}/authorize`,
      token_endpoint: `${issuer()}/token`,
      jwks_uri: `${issuer()}/jwks`,
      response_types_supported: ['code'],
      response_modes_supported: ['query', 'form_post'],
      grant_types_supported: ['authorization_code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
      code_challenge_methods_supported: ['S256'],
      scopes_supported: ['openid', 'profile', 'email'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    }),
  '/jwks': (_req, res) => json(res, { keys: [key] }),
  '/authorize': (req, res, { searchParams }) => {
    const code = randomBytes(24).toString('base64url')
    codes.set(code, {
      person: req.headers['x-person'],
      nonce: searchParams.get('nonce'),
      challenge: searchParams.get('code_challenge'),
      clientId: searchParams.get('client_id'),
    })
    const back = new URL(searchParams.get('redirect_uri'))
    back.searchParams.set('code', code)
    back.searchParams.set('state', searchParams.get('state'))
    res.writeHead(302, { Location: back.href, 'Content-Length': 0 }).end()
  },
  '/token': async (req, res) => {
    let text = ''
    for await (const chunk of req) text += chunk
    const form = new URLSearchParams(text)
    const grant = codes.get(form.get('code'))
    codes.delete(form.get('code'))
    const verifier = form.get('code_verifier')
    const verified =
      grant &&
      (grant.challenge === null ||
        createHash('sha256')
          .update(verifier ?? '')
          .digest('base64url') === grant.challenge)
    if (!verified) return json(res, { error: 'invalid_grant' }, 400)
    const { person, nonce, clientId } = grant
    const idToken = await new SignJWT({
      ...(nonce !== null && { nonce }),
      name: person,
      email: emailOf(Number(person.slice('person-'.length))),
      email_verified: true,
    })
      .setProtectedHeader({ alg: 'ES256', kid: key.kid })
      .setIssuer(issuer())
      .setSubject(person)
      .setAudience(clientId)
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey)
    json(res, {
      access_token: randomBytes(24).toString('base64url'),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'openid profile email',
      id_token: idToken,
    })
  },
}

server.keepAliveTimeout = 120_000
server.listen(0, '127.0.0.1', () => process.send({ issuer: issuer(), port: server.address().port }))
