import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import * as sessionStore from '../../client/session-store/session-store.js'
import { readBlocks, runBlock } from './support/readme-block.js'

const GUIDE = 'client/session-store/README.md'
const MODULES = { '@netscript/auth-client/session-store': sessionStore }
/** The answer to everything. */
const ANSWER = {
  signedOut: true,
  authenticated: true,
  user: { id: 'u1', displayName: 'Ada' },
  session: { id: 's1', expiresAt: new Date(Date.now() + 3_600_000).toISOString() },
}

describe('the guide to the session store', () => {
  let server: Server
  let AUTH_API: string
  beforeAll(async () => {
    server = createServer((_req, res) => void res.end(JSON.stringify(ANSWER)))
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    AUTH_API = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => new Promise((done) => server.close(done)))

  const used = new Set<string>()
  /** Runs the block that has this text. */
  async function follow(text: string, wanted: string[], given: object = {}) {
    const [block = '', ...others] = (await readBlocks(GUIDE)).filter((code) => code.includes(text))
    expect(others).toEqual([])
    used.add(block)
    return runBlock(block, { modules: MODULES, given: { AUTH_API, ...given }, wanted })
  }

  it('greets who is signed in', async () => {
    const greet = vi.fn()
    const { stop } = await follow('greet', ['stop'], { greet })
    await vi.waitFor(() => expect(greet).toHaveBeenCalledWith('Ada'))
    ;(stop as () => void)()
  })

  it('has no block that is not run', async () => {
    const blocks = await readBlocks(GUIDE)
    expect(blocks.filter((block) => !used.has(block))).toEqual([])
  })
})
