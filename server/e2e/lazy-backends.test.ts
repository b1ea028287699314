import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorkosApi, type WorkosApi } from '../../backends/workos/testing/workos-api.js'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { startNetscript } from './support/process.js'
import { freePort } from '../local/loopback.js'

const RECORD = new URL('./support/record-modules.mjs', import.meta.url).pathname

/** Modules that only metrics and traces need, which are disabled here. */
const UNASKED = ['prom-client', '@opentelemetry/api', '@opentelemetry/sdk-trace-base']

describe('a backend that is not chosen', () => {
  let database: TestDatabase
  let api: WorkosApi
  let directory: string
  beforeAll(async () => {
    database = await createTestDatabase()
    api = await startWorkosApi()
    directory = await mkdtemp(join(tmpdir(), 'netscript-modules-'))
  })
  afterAll(async () => {
    await api.stop()
    await database.drop()
    await rm(directory, { recursive: true, force: true })
  })

  /** The packages that a ready service has loaded; it is given the variables of one backend. */
  async function loadedPackages(
    backend: string,
    env: Record<string, string>,
  ): Promise<Set<string>> {
    const file = join(directory, backend)
    const port = await freePort()
    const service = startNetscript(
      ['dev'],
      { PORT: String(port), NETSCRIPT_AUTH_BACKEND: backend, RECORD_MODULES: file, ...env },
      [RECORD],
    )
    await service.waitFor('Sign-in is ready')
    const me = await fetch(`http://127.0.0.1:${port}/api/v1/auth/me`)
    expect(await me.json()).toEqual({ authenticated: false })
    await service.end()
    const urls = (await readFile(file, 'utf8')).split('\n')
    const packages = urls.flatMap(
      (url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? [],
    )
    return new Set(packages)
  }

  it.each([
    ['kv-oauth', ['pg', 'keyv'], ['better-auth', '@workos-inc/node', '@prisma/client']],
    ['workos', ['@workos-inc/node'], ['better-auth', '@prisma/client', 'openid-client']],
    ['better-auth', ['better-auth', '@prisma/client'], ['@workos-inc/node', 'openid-client']],
  ])('costs %s nothing', async (backend, needed, foreign) => {
    const variables: Record<string, Record<string, string>> = {
      'kv-oauth': {
        DATABASE_URL: database.url,
        NETSCRIPT_AUTH_CLIENT_ID: 'id',
        NETSCRIPT_AUTH_CLIENT_SECRET: 'secret',
        NETSCRIPT_AUTH_REDIRECT_URI: 'http://localhost:8094/api/v1/auth/callback',
        NETSCRIPT_AUTH_KV_OAUTH_KEY: randomBytes(32).toString('base64url'),
      },
      workos: {
        WORKOS_API_KEY: api.apiKey,
        WORKOS_CLIENT_ID: api.clientId,
        WORKOS_COOKIE_PASSWORD: api.cookiePassword,
        WORKOS_API_URL: api.url,
      },
      'better-auth': {
        DATABASE_URL: database.url,
        BETTER_AUTH_SECRET: randomBytes(32).toString('base64url'),
      },
    }
    const loaded = await loadedPackages(backend, variables[backend] ?? {})
    for (const name of needed) expect(loaded).toContain(name)
    for (const name of [...foreign, ...UNASKED]) expect(loaded).not.toContain(name)
  })

  it.each([
    ['workos', /WORKOS_API_KEY/],
    ['better-auth', /BETTER_AUTH_SECRET/],
  ])('names what %s needs when it is chosen', async (backend, message) => {
    const refused = startNetscript(['dev'], {
      PORT: '0',
      NETSCRIPT_AUTH_BACKEND: backend,
      DATABASE_URL: database.url,
    })
    expect(await refused.ended).toBe(1)
    expect(refused.output()).toMatch(message)
  })
})
