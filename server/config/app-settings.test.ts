import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withAppSettings } from './app-settings.js'

describe('withAppSettings', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'netscript-settings-'))
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  async function backendOf(text: string, env: NodeJS.ProcessEnv = {}): Promise<string | undefined> {
    const file = join(directory, 'appsettings.json')
    await writeFile(file, text)
    return withAppSettings(env, file).NETSCRIPT_AUTH_BACKEND
  }

  it.each([
    ['{"auth":{"backend":"workos"}}', 'workos'],
    ['{"Auth":{"Backend":"better-auth"}}', 'better-auth'],
    ['{"auth":{"other":1},"more":2}', undefined],
    ['{}', undefined],
  ])('reads %s', async (text, backend) => {
    expect(await backendOf(text)).toBe(backend)
  })

  it('reads a file with a byte order mark', async () => {
    expect(await backendOf('\ufeff{"auth":{"backend":"workos"}}')).toBe('workos')
  })

  it('gives the variable precedence', async () => {
    const env = { NETSCRIPT_AUTH_BACKEND: 'kv-oauth' }
    expect(await backendOf('{"auth":{"backend":"workos"}}', env)).toBe('kv-oauth')
    const blank = { NETSCRIPT_AUTH_BACKEND: ' ' }
    expect(await backendOf('{"auth":{"backend":"workos"}}', blank)).toBe('workos')
  })

  it('needs no file, and fails for an unreadable one', async () => {
    expect(withAppSettings({}, join(directory, 'none.json'))).toEqual({})
    await expect(backendOf('{')).rejects.toThrow(/appsettings.json is not valid.*Correct it/)
    await expect(backendOf('{"auth":{"backend":1}}')).rejects.toThrow(/is not valid/)
  })
})
