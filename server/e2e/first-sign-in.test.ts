import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { freePort } from '../local/loopback.js'
import {
  environmentWith,
  installManagers,
  MANAGER_NAMES,
  MANAGERS,
  writeProject,
} from './support/package-managers.js'
import { type Registry, startRegistry } from './support/registry.js'
import { createShell } from './support/shell.js'
import { me, signIn } from './support/sign-in.js'
import { createUserAgent } from './support/user-agent.js'

// Installing is slow on a busy machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

let scratch: string
let registry: Registry
let programs: string
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'netscript-first-'))
  registry = await startRegistry()
  programs = await installManagers(join(scratch, 'tools'))
})
afterAll(async () => {
  await registry?.close()
  await rm(scratch, { recursive: true, force: true })
})

it.each(MANAGER_NAMES)(
  'signs in from an empty directory, as the messages say, with %s',
  async (manager) => {
    const { add, run } = MANAGERS[manager]
    const directory = join(scratch, manager)
    await writeProject(directory, manager, registry)
    const port = await freePort()
    const shell = createShell(directory, { ...environmentWith(programs), PORT: String(port) })
    const ok = async (line: string): Promise<void> => {
      const { code, output } = await shell.run(line)
      if (code !== 0) throw new Error(`${line} ended with ${code}:\n${output}`)
    }
    await ok(`${add} @netscript/plugin-auth`)
    // Each start names what is missing, and its command fixes it.
    for (let missing = 2; missing > 0; missing -= 1) {
      const refused = await shell.run(`${run} netscript dev`)
      expect(refused.code).toBe(1)
      const [, command = ''] = /(?:Run|run): (\w+ (?:add|install) .*)/.exec(refused.output) ?? []
      expect(command, refused.output).toContain(`${add} `)
      await ok(command)
    }
    const service = shell.start(`${run} netscript dev`)
    try {
      await service.waitFor('Sign-in is ready')
      const agent = createUserAgent(`http://localhost:${port}`)
      expect((await signIn(agent, 'ada')).status).toBe(303)
      expect(await me(agent)).toMatchObject({
        authenticated: true,
        user: { displayName: 'Ada Lovelace' },
      })
    } finally {
      await service.interrupt()
    }
  },
)
