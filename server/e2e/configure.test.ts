import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseKeyring } from '../../backends/keyring.js'
import { type NetscriptProcess, startNetscript } from './support/process.js'

describe('netscript auth backend, provider and secret', () => {
  let cwd: string
  const running: NetscriptProcess[] = []
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'netscript-configure-'))
  })
  afterEach(async () => {
    for (const one of running.splice(0)) await one.end('SIGKILL')
    await rm(cwd, { recursive: true })
  })

  const netscript = async (
    command: string,
    { input, env = {} }: { input?: string; env?: Record<string, string> } = {},
  ): Promise<{ code: number | null; output: string }> => {
    const options = { cwd, ...(input !== undefined && { input }) }
    const started = startNetscript(['auth', ...command.split(' ')], env, [], options)
    running.push(started)
    return { code: await started.ended, output: started.output() }
  }
  const file = () => readFile(join(cwd, '.env'), 'utf8').catch(() => undefined)
  const variables = async () => parseEnv((await file()) ?? '') as Record<string, string>

  it('creates a valid configuration from scratch, and shows no secret', async () => {
    const shown = await netscript('backend show --json')
    expect(JSON.parse(shown.output)).toMatchObject({ backend: 'kv-oauth', source: 'default' })
    const set = await netscript('provider set google --client-id id --client-secret-stdin', {
      input: "it's $secret # 1\n",
    })
    expect(set.code).toBe(0)
    expect(set.output).toContain('  http://localhost:8094/api/v1/auth/callback\n')
    expect(set.output).toContain('Missing: NETSCRIPT_AUTH_KV_OAUTH_KEY')
    expect(set.output).not.toContain('$secret')
    expect(set.output.split('\n').filter((line) => line.length > 80)).toEqual([])
    const key = await netscript('secret generate --write')
    expect(key).toEqual({ code: 0, output: 'NETSCRIPT_AUTH_KV_OAUTH_KEY is set in .env.\n' })
    expect((await variables()).NETSCRIPT_AUTH_CLIENT_SECRET).toBe("it's $secret # 1")
    expect((await stat(join(cwd, '.env'))).mode & 0o777).toBe(0o600)
    const after = await netscript('backend show --json')
    const { backends } = JSON.parse(after.output) as { backends: { lacks: string[] }[] }
    expect(backends[0]?.lacks).toEqual(['DATABASE_URL'])
  })

  it.each(['utf8', 'utf16le'] as const)(
    'reads and rewrites a .env in %s with a byte order mark',
    async (encoding) => {
      const before = '\ufeffNETSCRIPT_AUTH_BACKEND=workos\r\nPORT=3000\r\n'
      await writeFile(join(cwd, '.env'), before, encoding)
      const shown = await netscript('backend show --json')
      expect(JSON.parse(shown.output)).toMatchObject({ backend: 'workos', source: '.env' })
      expect((await netscript('backend set better-auth')).code).toBe(0)
      expect(await file()).toBe('NETSCRIPT_AUTH_BACKEND=better-auth\r\nPORT=3000\r\n')
    },
  )

  it('keeps formatting and comments of the file', async () => {
    const before = '# ours\r\nPORT=3000 # dev\r\n\r\n# NETSCRIPT_AUTH_BACKEND=workos\r\n'
    await writeFile(join(cwd, '.env'), before)
    const { output } = await netscript('backend set better-auth')
    expect(await file()).toBe(`${before}NETSCRIPT_AUTH_BACKEND=better-auth\r\n`)
    expect(output).toMatch(/BETTER_AUTH_SECRET\n +Run: netscript auth secret generate better-auth/)
    await netscript('backend set kv-oauth')
    expect(await file()).toBe(`${before}NETSCRIPT_AUTH_BACKEND=kv-oauth\r\n`)
    expect((await netscript('backend show')).output).toContain('in .env says so')
  })

  it('writes nothing when the configuration is incomplete', async () => {
    const text = 'PORT=3000\n'
    await writeFile(join(cwd, '.env'), text)
    const refused: [string, RegExp][] = [
      ['backend set ldap', /"ldap" is not registered\. Set .* one of: kv-oauth/],
      ['provider set google --client-id id', /client secret is missing.*--client-secret-stdin/],
      ['provider set google --public-client', /client id of google is missing/],
      [
        'provider set google --client-id id --public-client --redirect-uri http://localhost/',
        /Nothing was written\.\n.*REDIRECT_URI has the path .*\/api\/v1\/auth\/callback/,
      ],
      ['provider set x_y --client-id i --public-client --issuer https://x', /"x_y": id must be/],
      ['secret generate --append', /nothing to rotate\. Use --write/],
    ]
    for (const [command, message] of refused) {
      const { code, output } = await netscript(command)
      expect(code, command).toBe(1)
      expect(output).toMatch(message)
      expect(output).not.toMatch(/^ +at /m)
    }
    expect(await file()).toBe(text)
  })

  it('says when the environment overrides what it writes', async () => {
    const env = { NETSCRIPT_AUTH_BACKEND: 'workos', NETSCRIPT_AUTH_CLIENT_ID: 'outside' }
    const backend = await netscript('backend set better-auth', { env })
    expect(backend.output).toContain('But it is workos in the environment, which wins.')
    const provider = await netscript('provider set google --client-id id --public-client', { env })
    expect(provider.output).toContain('NETSCRIPT_AUTH_CLIENT_ID is set in the environment too')
    const secret = await netscript('secret generate --write', {
      env: { NETSCRIPT_AUTH_KV_OAUTH_KEY: 'x' },
    })
    expect(secret).toMatchObject({
      code: 1,
      output: expect.stringContaining('in the environment, which wins over .env') as string,
    })
  })

  it('rotates the key by appending, and never overwrites one', async () => {
    await netscript('secret generate --write')
    const { NETSCRIPT_AUTH_KV_OAUTH_KEY: first } = await variables()
    expect(await netscript('secret generate --write')).toMatchObject({
      code: 1,
      output: expect.stringContaining('Use --append') as string,
    })
    const { code, output } = await netscript('secret generate --append')
    expect(code).toBe(0)
    expect(output).toContain('has 2 keys; the first still signs.')
    const { NETSCRIPT_AUTH_KV_OAUTH_KEY: both = '' } = await variables()
    expect(both.startsWith(`${first},`)).toBe(true)
    expect(parseKeyring(both).secrets).toHaveLength(2)
    for (const key of both.split(',')) expect(output).not.toContain(key)
    const other = await netscript('secret generate better-auth --append')
    expect(other.output).toContain('BETTER_AUTH_SECRET is one secret, not a list.')
  })
})
