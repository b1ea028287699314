import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as client from 'openid-client'
import { afterEach, describe, expect, it } from 'vitest'
import { getClientConfiguration } from './configuration.js'
import { defineOAuthProvider } from './define-provider.js'
import { createProviderFetch } from './provider-fetch.js'

let server: Server | undefined

async function start(listener: RequestListener) {
  server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const endpoint = (name: string): string => `${origin}/${name}`
  const provider = defineOAuthProvider({
    ...{ id: 'test', kind: 'oauth', clientId: 'client', clientSecret: 'secret' },
    redirectUri: 'http://localhost:8094/api/v1/auth/callback',
    authorizationEndpoint: endpoint('authorize'),
    tokenEndpoint: endpoint('token'),
    userInfoEndpoint: endpoint('user'),
    userInfoFields: { subject: 'id' },
  })
  return { origin, provider }
}

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

const timeouts = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length

describe('a provider that does not respond in time', () => {
  const never: RequestListener = () => undefined
  const noEnd: RequestListener = (_req, res) => {
    res.writeHead(200, { 'content-type': 'application/json' }).write('{"access_token":')
  }

  it.each([
    ['sends nothing', never],
    ['does not end its response', noEnd],
  ])(
    '%s: every request fails',
    async (_name, listener) => {
      const { origin, provider } = await start(listener)
      const fetch = createProviderFetch(provider, { timeoutSeconds: 0.05 })
      const init = { method: 'GET', headers: {}, redirect: 'manual', body: undefined } as const
      await expect(fetch(`${origin}/jwks`, init)).rejects.toMatchObject({ name: 'TimeoutError' })

      const options = { allowInsecureRequests: true, timeoutSeconds: 0.05 }
      const configuration = await getClientConfiguration(provider, options)
      const late = { code: 'OAUTH_TIMEOUT' }
      await expect(client.refreshTokenGrant(configuration, 'token')).rejects.toMatchObject(late)
      await expect(
        client.fetchUserInfo(configuration, 'token', client.skipSubjectCheck),
      ).rejects.toMatchObject(late)
    },
    5_000,
  )
})

it('leaves no timer behind after a response', async () => {
  const { origin, provider } = await start((_req, res) => void res.end('{}'))
  const fetch = createProviderFetch(provider, { timeoutSeconds: 60 })
  const init = { method: 'GET', headers: {}, redirect: 'manual', body: undefined } as const
  await fetch(`${origin}/jwks`, init)
  const before = timeouts()
  for (let n = 0; n < 20; n += 1) await fetch(`${origin}/jwks`, init)
  expect(timeouts()).toBeLessThan(before + 5)
})
