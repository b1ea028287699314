import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { backendEntry, backendNames } from '../../backends.js'
import { readConfig } from '../../config/config.js'
import { backendChoice, lacking } from './backend.js'

describe('backendChoice', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'netscript-settings-'))
    await writeFile(join(directory, 'there.json'), '{"auth":{"backend":"workos"}}')
  })
  afterAll(() => rm(directory, { recursive: true }))

  const variable = (value: string) => ({ NETSCRIPT_AUTH_BACKEND: value })
  it.each([
    ['environment', variable('better-auth'), {}, 'there.json', 'better-auth'],
    ['environment', variable('better-auth'), variable('workos'), 'there.json', 'better-auth'],
    ['.env', variable('better-auth'), variable('better-auth'), 'there.json', 'better-auth'],
    ['appsettings.json', {}, {}, 'there.json', 'workos'],
    ['appsettings.json', variable(' '), {}, 'there.json', 'workos'],
    ['default', {}, {}, 'absent.json', 'kv-oauth'],
  ])('comes from %s', (source, env, file, settings, backend) => {
    expect(backendChoice(env, file, join(directory, settings))).toEqual({ backend, source })
  })
})

describe('what a backend needs', () => {
  const VALUES: Record<string, string> = {
    NETSCRIPT_AUTH_CLIENT_ID: 'id',
    NETSCRIPT_AUTH_CLIENT_SECRET: 'secret',
    NETSCRIPT_AUTH_REDIRECT_URI: 'https://auth.example/api/v1/auth/callback',
    NETSCRIPT_AUTH_KV_OAUTH_KEY: Buffer.alloc(32, 'k').toString('base64url'),
    NETSCRIPT_AUTH_ORIGIN: 'https://auth.example',
    DATABASE_URL: 'postgres://127.0.0.1:1/none',
    WORKOS_API_KEY: 'sk_x',
    WORKOS_CLIENT_ID: 'client_x',
    WORKOS_COOKIE_PASSWORD: 'p'.repeat(32),
    BETTER_AUTH_SECRET: 's'.repeat(32),
  }
  const needs = backendNames.flatMap((name) =>
    backendEntry(name).needs.map(({ variable }) => [name, variable] as const),
  )

  it.each(needs)('%s does not start without %s', (backend, variable) => {
    const redirect = backend === 'kv-oauth' ? [] : ['NETSCRIPT_AUTH_REDIRECT_URI']
    const env: NodeJS.ProcessEnv = { ...VALUES, NETSCRIPT_AUTH_BACKEND: backend }
    for (const name of redirect) delete env[name]
    readConfig(env, { production: true })
    expect(lacking(backend, env)).toEqual([])
    delete env[variable]
    expect(() => readConfig(env, { production: true })).toThrow(variable)
    expect(lacking(backend, env)).toMatchObject([{ variable }])
  })

  it('says how to obtain each in one line', () => {
    const hows = backendNames.flatMap((name) => backendEntry(name).needs.map(({ how }) => how))
    expect(hows.filter((how) => how.length > 76)).toEqual([])
  })

  it('is satisfied by several providers', () => {
    const { NETSCRIPT_AUTH_CLIENT_ID: _one, ...rest } = VALUES
    expect(lacking('kv-oauth', { ...rest, NETSCRIPT_AUTH_PROVIDERS: 'google' })).toEqual([])
  })
})
