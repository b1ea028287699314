import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { freePort } from '../local/free-port.js'
import { packedTarballs } from './support/packed.js'
import { createShell, personsEnvironment, type RunningShell } from './support/shell.js'
import { me, signIn } from './support/sign-in.js'
import { createUserAgent } from './support/user-agent.js'

// Installing takes its time where much else runs.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

let directory: string
let service: RunningShell | undefined
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'netscript-first-'))
})
afterAll(async () => {
  await service?.interrupt()
  await rm(directory, { recursive: true, force: true })
})

it('signs in from npm in an empty directory, with what the messages say to install', async () => {
  const port = await freePort()
  const environment = { ...personsEnvironment(), PORT: String(port) }
  const shell = createShell(directory, environment)
  const ok = async (line: string): Promise<string> => {
    const { code, output } = await shell.run(line)
    if (code !== 0) throw new Error(`${line} ended with ${code}:\n${output}`)
    return output
  }
  await ok('npm init -y')
  const tarballs = (await packedTarballs()).filter((path) => !/workos|better-auth|guard/.test(path))
  await ok(`npm install -D --prefer-offline --no-audit --no-fund ${tarballs.join(' ')}`)
  // Each start names what is missing, and its command fixes it.
  for (let missing = 2; missing > 0; missing -= 1) {
    const refused = await shell.run('npx netscript dev')
    expect(refused.code).toBe(1)
    const [, command] = /(?:Run|run): (npm install .*)/.exec(refused.output) ?? []
    expect(command, refused.output).toBeDefined()
    await ok(`${command} --prefer-offline --no-audit --no-fund`)
  }
  service = shell.start('npx netscript dev')
  await service.waitFor('Sign-in is ready')
  const agent = createUserAgent(`http://localhost:${port}`)
  expect((await signIn(agent, 'ada')).status).toBe(303)
  expect(await me(agent)).toMatchObject({
    authenticated: true,
    user: { displayName: 'Ada Lovelace' },
  })
})
