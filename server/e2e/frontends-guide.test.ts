import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as svelteStore from 'svelte/store'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createServer as createViteServer, defineConfig, type InlineConfig } from 'vite'
import * as vue from 'vue'
import * as client from '../../client/index.js'
import * as sessionStore from '../../client/session-store/session-store.js'
import { readBlocks, runBlock } from './support/readme-block.js'

const GUIDE = 'client/FRONTENDS.md'
const RESPONSE = {
  signedOut: true,
  authenticated: true,
  user: { id: 'u1', displayName: 'Ada' },
  session: { id: 's1', expiresAt: new Date(Date.now() + 3_600_000).toISOString() },
}

describe('the guide to frontends', () => {
  let server: Server
  let baseUrl: string
  const requested: string[] = []
  const used = new Set<string>()
  beforeAll(async () => {
    server = createServer((req, res) => {
      requested.push(`${req.method} ${req.url}`)
      res.end(JSON.stringify(RESPONSE))
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => new Promise((done) => server.close(done)))

  /** The block that has this text. */
  async function blockWith(text: string): Promise<string> {
    const [block = '', ...others] = (await readBlocks(GUIDE)).filter((code) => code.includes(text))
    expect(others).toEqual([])
    used.add(block)
    return block
  }

  /** Runs a block as in a page of the origin of the service. */
  async function follow(text: string, wanted: string[], given: object = {}) {
    const modules = {
      vue,
      'svelte/store': svelteStore,
      '@netscript/auth-client': {
        createAuthClient: (options?: client.AuthClientOptions) =>
          client.createAuthClient({ baseUrl, ...options }),
      },
      '@netscript/auth-client/session-store': {
        createSessionStore: () => sessionStore.createSessionStore({ baseUrl }),
      },
    }
    return runBlock(await blockWith(text), { modules, given: { ...given }, wanted })
  }

  it('proxies the API on the Vite dev server', async () => {
    const block = await blockWith('proxy')
    const config = block.replace('export default', 'const config =')
    const { config: found } = await runBlock(config.replace('http://localhost:8094', baseUrl), {
      modules: { vite: { defineConfig } },
      wanted: ['config'],
    })
    const { server: options } = found as InlineConfig
    const vite = await createViteServer({
      configFile: false,
      logLevel: 'silent',
      server: { ...options, port: 0, host: '127.0.0.1', ws: false },
    })
    await vite.listen()
    try {
      const [page = ''] = vite.resolvedUrls?.local ?? []
      const me = await client.createAuthClient({ baseUrl: page }).me()
      expect(me).toMatchObject({ user: { displayName: 'Ada' } })
    } finally {
      await vite.close()
    }
  })

  it('has a button without a framework', async () => {
    const button = { textContent: '', onclick: undefined as unknown }
    const append = vi.fn()
    const document = { createElement: () => button, body: { append } }
    await follow('document', [], { document })
    expect(append).toHaveBeenCalledWith(button)
    expect(button.textContent).toBe('Sign out Ada')
    await (button.onclick as () => Promise<void>)()
    expect(requested).toContain('POST /api/v1/auth/signout')
  })

  it('has a ref for Vue, for as long as its scope', async () => {
    const { useSession, store } = await follow('vue', ['useSession', 'store'])
    const scope = vue.effectScope()
    const snapshot = scope.run(useSession as () => vue.ShallowRef<sessionStore.SessionSnapshot>)
    const seen: unknown[] = []
    vue.watchSyncEffect(() => void seen.push(snapshot?.value.status))
    await vi.waitFor(() => expect(seen).toEqual(['loading', 'signed-in']))
    const { redirectToSignOut, getSnapshot } = store as sessionStore.SessionStore
    scope.stop()
    await redirectToSignOut()
    expect(getSnapshot().status).toBe('signed-out')
    expect(seen).toEqual(['loading', 'signed-in'])
  })

  it('has a store for Svelte', async () => {
    const { session } = await follow('svelte', ['session'])
    const seen: string[] = []
    const stop = (session as svelteStore.Readable<sessionStore.SessionSnapshot>).subscribe((now) =>
      seen.push(now.status),
    )
    await vi.waitFor(() => expect(seen.at(-1)).toBe('signed-in'))
    stop()
  })

  it('names the service from another origin', async () => {
    const { auth } = await follow('https://auth.example.com', ['auth'])
    expect(auth).toHaveProperty('me')
  })

  it('has no block of TypeScript that is not run', async () => {
    expect((await readBlocks(GUIDE)).filter((block) => !used.has(block))).toEqual([])
  })
})
