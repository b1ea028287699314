import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sessionRecord } from '../../backends/kv-oauth/storage/session-store-suite.js'
import { createPostgresStores } from '../../backends/kv-oauth/storage/stores.js'
import { createPool } from '../../prisma/pool.js'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { displayWidth } from './terminal.js'
import { createProgram } from './program.js'
import { addAuthPlugin } from './testing/add-plugin.js'
import { runCli } from './testing/run-cli.js'

const NAME = `${'電信'.repeat(30)} ${'Ruiz '.repeat(15)}`
const EMAIL = `${'pablo.picasso'.repeat(4)}@subdomain.of-a-long-domain.example`
const AGENT =
  'Mozilla/5.0 (X11; Linux x86_64; 2001:0db8:85a3:0000:0000:8a2e:0370:7334) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0'
/** The longest subject that the store accepts. */
const SUBJECT = 's'.repeat(255)
const PROVIDER = 'a-provider-of-an-organization-with-a-name'
const SESSION_ID = 'abcdefghij'.repeat(5).slice(0, 43)

/** Lines of more than 80 columns, except single words, which must be copied whole. */
const tooWide = (text: string): string[] =>
  text.split('\n').filter((line) => displayWidth(line) > 80 && line.trim().includes(' '))

const PROVIDER_VARIABLES = {
  NETSCRIPT_AUTH_PROVIDER_ID: PROVIDER,
  NETSCRIPT_AUTH_CLIENT_ID: 'client',
  NETSCRIPT_AUTH_CLIENT_SECRET: 'secret',
  NETSCRIPT_AUTH_ISSUER: 'http://[2001:db8:85a3::8a2e:370:7334]:9094',
  NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS: 'true',
  NETSCRIPT_AUTH_REDIRECT_URI: `https://${'auth.'.repeat(12)}example/api/v1/auth/callback`,
}

const commands = (command: Command, path: readonly string[] = []): [string, Command][] => [
  [path.join(' '), command],
  ...command.commands.flatMap((one) => commands(one, [...path, one.name()])),
]

describe('--help', () => {
  it.each(commands(createProgram()))('of netscript %s fits 80 columns', (_name, command) => {
    expect(
      command
        .helpInformation()
        .split('\n')
        .filter((line) => displayWidth(line) > 80),
    ).toEqual([])
  })
})

describe('the readable output of netscript', () => {
  let database: TestDatabase
  let userId: string
  let root: string

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'netscript-workspace-'))
    writeFileSync(join(root, 'package.json'), '{ "name": "my-workspace" }\n')
    await addAuthPlugin(root)
    database = await createTestDatabase()
    const pool = createPool(database.url)
    const { users, sessions } = createPostgresStores(pool)
    const profile = { displayName: NAME, email: EMAIL, emailVerified: true }
    const account = { providerId: PROVIDER, issuer: 'local', subject: SUBJECT }
    ;({ userId } = await users.signIn({ ...account, profile }))
    const over = { ...account, userAgent: AGENT, expiresAt: Date.now() + 600_000 }
    await sessions.create(sessionRecord(userId, { ...over, id: SESSION_ID }))
    await sessions.create(sessionRecord(userId, { ...over, userAgent: 'x'.repeat(512) }))
    await pool.end()
  })
  afterAll(async () => {
    rmSync(root, { recursive: true, force: true })
    await database.drop()
  })

  /** Sequential, since some commands change the output of the next. */
  it.each<[string, (string | RegExp)[], Record<string, string>?]>([
    ['auth backend show', ['kv-oauth']],
    ['auth backend show', ['better-auth'], { NETSCRIPT_AUTH_BACKEND: 'better-auth' }],
    [
      'auth provider list',
      [PROVIDER, PROVIDER_VARIABLES.NETSCRIPT_AUTH_REDIRECT_URI],
      PROVIDER_VARIABLES,
    ],
    ['auth user list', ['<user>', EMAIL, PROVIDER]],
    ['auth user list --limit 1', ['<user>']],
    ['auth user find pablo', ['<user>', EMAIL]],
    ['auth user show <user>', ['<user>', EMAIL, SUBJECT]],
    [
      'auth session list <user>',
      [SESSION_ID, /LAST USED\s+\d{4}-/, 'Edg/140.0.0.0', 'x'.repeat(60)],
    ],
    ['auth session list <user> --limit 1', ['--cursor']],
    ['auth session revoke <session>', ['Ended.']],
    ['auth session revoke-all <user>', ['Ended']],
    ['auth user disable <user>', ['Disabled']],
    ['auth user show <user>', ['Disabled']],
    ['auth user enable <user>', ['Enabled']],
    ['auth user delete <user>', ['Deleted']],
    ['auth user list', ['No users.']],
    ['auth user show missing', ['no such user']],
    [
      `auth service-key create orders --audience https://${'orders.'.repeat(12)}example --providers ${PROVIDER} --scopes ${'calendar.read,'.repeat(12)}mail --json`,
      ['nsk_'],
    ],
    ['auth service-key create orders --audience a --providers local', ['nsk_', 'not shown again']],
    ['auth service-key list', [PROVIDER, 'orders', /calendar.read\s/]],
    ['auth service-key revoke missing', ['There is no valid key']],
    ['auth audit delete --before 2026-01-31 --yes', []],
    ['doctor', ['ok'], PROVIDER_VARIABLES],
    ['doctor --production', ['fail']],
    ['doctor', ['fail'], { NETSCRIPT_AUTH_BACKEND: 'workos' }],
    ['db status', ['MIGRATION']],
    ['db migrate', ['applied']],
    ['db seed', ['demo']],
    ['db reset --yes', ['Reset']],
    ['plugin list', ['auth']],
    ['plugin doctor', ['auth']],
    ['plugin remove auth --dry-run', ['would delete']],
    ['plugin remove auth --yes --no-install', ['Kept']],
    ['plugin add auth --no-install', ['created', 'in place']],
    ['plugin doctor', ['packages are not installed']],
    ['auth backend set better-auth', ['BETTER_AUTH_SECRET']],
    ['auth backend set kv-oauth', ['kv-oauth']],
    [
      'auth provider set google --client-id x --client-secret-stdin',
      ['/callback'],
      { PORT: '65535' },
    ],
    ['auth secret generate workos-cookie --write', ['WORKOS_COOKIE_PASSWORD']],
    ['auth secret generate --append', ['1. ', '3. ']],
  ])('%s fits 80 columns and cuts no id (%#)', async (command, expected, env = {}) => {
    const args = command
      .split(' ')
      .map((arg) => arg.replace('<user>', userId).replace('<session>', SESSION_ID))
    const { stdout, stderr } = await runCli(
      root,
      args,
      { DATABASE_URL: database.url, ...env },
      'secret',
    )
    expect(tooWide(stdout)).toEqual([])
    for (const one of expected) {
      if (typeof one === 'string') expect(stdout, stderr).toContain(one.replace('<user>', userId))
      else expect(stdout, stderr).toMatch(one)
    }
  })
})
