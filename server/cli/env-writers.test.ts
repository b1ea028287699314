import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runCli, temporaryWorkspace } from './testing/run-cli.js'

const KEY = `NETSCRIPT_AUTH_KV_OAUTH_KEY=${Buffer.alloc(32, 'k').toString('base64url')}\n`

it.each<[command: string, text: string, input?: string]>([
  ['auth secret generate --write', 'A=1\n'],
  ['auth secret generate --append', KEY],
  ['auth backend set workos', 'A=1\n'],
  ['auth provider set google --client-id id --client-secret-stdin', KEY, 'secret'],
  ['plugin add auth --no-install', 'A=1\n'],
])('%s makes .env readable only for its owner, and warns once', async (command, text, input) => {
  const root = temporaryWorkspace()
  const file = join(root, '.env')
  writeFileSync(file, text)
  chmodSync(file, 0o644)
  const first = await runCli(root, command.split(' '), {}, input)
  expect(first.code).toBe(0)
  expect(readFileSync(file, 'utf8')).not.toBe(text)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(first.stderr).toMatch(/had mode 0644, so other users could read its secrets/)
  writeFileSync(file, text)
  expect((await runCli(root, command.split(' '), {}, input)).stderr).not.toContain('mode')
})
