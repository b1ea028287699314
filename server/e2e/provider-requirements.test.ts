import type { Configuration } from 'oidc-provider'
import { afterEach, describe, expect, it } from 'vitest'
import { completeLogin } from './support/oidc-login.js'
import { startTestService, type TestService } from './support/service.js'
import { me, startSignIn } from './support/sign-in.js'
import { createUserAgent } from './support/user-agent.js'

const SECRET = 'a+b/c=and%more:text'

let service: TestService
afterEach(() => service.close())

/** A service beside a real OpenID provider with other rules for its one client. */
async function start(rules: object, ofClient: object = {}): Promise<void> {
  service = await startTestService({
    env: { NETSCRIPT_AUTH_CLIENT_SECRET: SECRET },
    provider: {
      clientSecret: SECRET,
      configure: (given): Configuration => ({
        ...given,
        ...rules,
        features: { ...given.features, ...(rules as Partial<Configuration>).features },
        clients: given.clients.map((client) => ({ ...client, ...ofClient })),
      }),
    },
  })
}

const logged = (text: string): string[] => service.log.filter((line) => line.includes(text))

describe('a real OpenID provider', () => {
  it.each(['client_secret_basic', 'client_secret_post'])(
    'that takes %s alone signs in a client whose secret has reserved characters',
    async (method) => {
      await start({ clientAuthMethods: [method] }, { token_endpoint_auth_method: method })
      const agent = createUserAgent(service.origin)
      const { redirectUrl } = await startSignIn(agent)
      await agent.fetch(await completeLogin(redirectUrl, { login: 'ada' }))
      expect((await me(agent)).authenticated).toBe(true)
      expect(logged('provider.client-refused')).toEqual([])
    },
  )

  it.each<[string, object, object, string]>([
    [
      'pushed authorization requests',
      {
        features: {
          pushedAuthorizationRequests: {
            enabled: true,
            requirePushedAuthorizationRequests: true,
          },
        },
      },
      {},
      'requires pushed authorization requests (PAR, RFC 9126), which are not supported here',
    ],
    [
      'client authentication by key',
      { clientAuthMethods: ['private_key_jwt'] },
      {
        token_endpoint_auth_method: 'private_key_jwt',
        client_secret: undefined,
        jwks_uri: 'https://client.example/jwks',
      },
      'authenticates clients by private_key_jwt only',
    ],
  ])(
    'that requires %s refuses sign-ins, and the log names why',
    async (_what, rules, ofClient, said) => {
      await start(rules, ofClient)
      const response = await createUserAgent(service.origin).post('/api/v1/auth/signin', {})
      expect(response.status).toBe(502)
      const problem = (await response.json()) as object
      expect(problem).toMatchObject({
        code: 'AUTH_PROVIDER_ERROR',
        detail:
          'Sign-in with this provider is not set up correctly. Tell the operator; trying again does not help.',
      })
      expect(JSON.stringify(problem)).not.toMatch(/RFC|NETSCRIPT|private_key/)
      expect(logged(said)).toHaveLength(1)
    },
  )

  it('that encrypts id_tokens fails at the callback, and the log names why', async () => {
    await start(
      {
        features: { encryption: { enabled: true } },
        enabledJWA: {
          idTokenEncryptionAlgValues: ['dir'],
          idTokenEncryptionEncValues: ['A128CBC-HS256'],
        },
      },
      {
        id_token_encrypted_response_alg: 'dir',
        id_token_encrypted_response_enc: 'A128CBC-HS256',
      },
    )
    const agent = createUserAgent(service.origin)
    const { redirectUrl } = await startSignIn(agent)
    const response = await agent.fetch(await completeLogin(redirectUrl, { login: 'ada' }))
    expect(response.status).toBe(502)
    expect(logged('encrypts the id_token, which is not supported here')).not.toEqual([])
    expect(logged('"cause":"id-token-encrypted"')).toHaveLength(1)
    expect(await response.text()).not.toContain('encrypt')
  })
})
