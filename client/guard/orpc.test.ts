import { createORPCClient, isDefinedError, safe } from '@orpc/client'
import { RPCLink } from '@orpc/client/fetch'
import { type ContractRouterClient, oc } from '@orpc/contract'
import { OpenAPIHandler } from '@orpc/openapi/fetch'
import { implement, ORPCError, os as base } from '@orpc/server'
import { RPCHandler } from '@orpc/server/fetch'
import { RequestHeadersPlugin, ResponseHeadersPlugin } from '@orpc/server/plugins'
import { describe, expect, it } from 'vitest'
import { authenticated, type Authenticator } from './authenticator.js'
import { createOrpcGuard, guardErrors, type OrpcMeta } from './orpc.js'

const authenticator: Authenticator = {
  async authenticate({ headers }) {
    const setCookies = ['a=1', 'b=2']
    if ((headers as Headers).get('cookie') !== 'ada') {
      return { ok: false, reason: 'credential-missing', setCookies }
    }
    const names = { scopes: ['orders:read'], roles: [] }
    return authenticated({ subject: 'ada', ...names, scheme: 'custom', claims: {} }, setCookies)
  },
}
const plugins = () => [new RequestHeadersPlugin(), new ResponseHeadersPlugin()]

const route = oc.$meta<OrpcMeta>({}).errors(guardErrors)
const contract = {
  orders: {
    list: route.meta({ auth: { scopes: ['orders:read'] } }),
    remove: route.meta({ auth: { roles: ['clerk'] } }),
  },
  status: route.meta({ auth: { public: true } }),
  forgotten: route.meta({ auth: { public: true } }),
}
function createRouter() {
  const os = implement(contract).use(createOrpcGuard({ authenticator, ORPCError, contract }))
  return os.router({
    orders: {
      list: os.orders.list.handler(({ context }) => context.principal.subject),
      remove: os.orders.remove.handler(() => 'removed'),
    },
    status: os.status.handler(() => 'up'),
    forgotten: os.forgotten.handler(({ context }) => context.principal.subject),
  })
}
function createClient(cookie?: string) {
  const handler = new RPCHandler(createRouter(), { plugins: plugins() })
  const responses: Response[] = []
  const link = new RPCLink({
    url: 'http://orders.example',
    headers: cookie === undefined ? {} : { cookie },
    fetch: async (request) => {
      const { response = new Response(null, { status: 404 }) } = await handler.handle(request)
      responses.push(response)
      return response
    },
  })
  const client: ContractRouterClient<typeof contract> = createORPCClient(link)
  return { client, responses }
}

it('types the principal, and the errors for a client', async () => {
  const { client } = createClient('ada')
  expect(await client.orders.list()).toBe('ada')
  const { error } = await safe(client.orders.remove())
  if (!isDefinedError(error) || error.code !== 'FORBIDDEN') throw new Error('not typed')
  expect(error.data.missingRoles).toEqual(['clerk'])
})

it('passes cookies on with a result and with an error, also over RPC', async () => {
  for (const cookie of ['ada', 'eve']) {
    const { client, responses } = createClient(cookie)
    await safe(client.orders.list())
    expect(responses[0]?.status).toBe(cookie === 'ada' ? 200 : 401)
    expect(responses[0]?.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  }
})

it('opens public procedures without an authentication, where reading the principal throws', async () => {
  const { client, responses } = createClient()
  expect(await client.status()).toBe('up')
  expect(responses[0]?.headers.getSetCookie()).toEqual([])
  const { error } = await safe(client.forgotten())
  expect(error).toMatchObject({ code: 'INTERNAL_SERVER_ERROR' })
})

describe.each<[string, OrpcMeta]>([
  ['no metadata', {}],
  ['a misspelt key', { auth: { scope: ['x'] } as object }],
  ['public together with scopes', { auth: { public: true, scopes: ['x'] } }],
  ['public: false', { auth: { public: false } }],
])('a procedure with %s', (_what, meta) => {
  it('throws at start', () => {
    const broken = { deep: { list: oc.$meta<OrpcMeta>({}).meta(meta) } }
    expect(() => createOrpcGuard({ authenticator, ORPCError, contract: broken })).toThrow(
      /^deep\.list: /,
    )
  })

  it('lets no call pass', async () => {
    const guarded = base.$meta<OrpcMeta>({}).use(createOrpcGuard({ authenticator, ORPCError }))
    const router = { list: guarded.meta(meta).handler(() => 'reached') }
    const handler = new RPCHandler(router, { plugins: plugins() })
    const request = new Request('http://orders.example/list', {
      method: 'POST',
      headers: { cookie: 'ada' },
    })
    expect((await handler.handle(request)).response?.status).toBe(500)
  })
})

it('lets no call pass without the plugins, which it needs for cookies', async () => {
  const handler = new OpenAPIHandler(createRouter())
  const request = new Request('http://orders.example/orders/list', {
    method: 'POST',
    headers: { cookie: 'ada' },
  })
  expect((await handler.handle(request)).response?.status).toBe(500)
})
