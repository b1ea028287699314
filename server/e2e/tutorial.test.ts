import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { freePort } from '../local/loopback.js'
import { type LocalProvider, startLocalProvider } from '../local/provider.js'
import { completeLogin } from './support/oidc-login.js'
import { packedTarballs } from './support/packed.js'
import {
  createShell,
  personsEnvironment,
  type RunningShell,
  type Shell,
  type ShellAnswer,
} from './support/shell.js'

/*
 * A developer with an empty directory, the packed package and a provider follows the whole tutorial.
 * Every command and line of code is written out here, in the order in which it is needed.
 */

const require = createRequire(import.meta.url)

/** Step 1. */
const ADD = 'netscript plugin add @netscript/plugin-auth'
/** Step 3. */
const DATABASE = [
  'netscript db init --name init',
  'netscript db generate',
  'netscript db seed',
  'netscript db status',
]

/** Step 5: the backend in code, as it is read and copied. */
const PRESET = `import { createKvOAuthBackend, getRequiredEnv, providers } from '@netscript/auth-kv-oauth';

export const backend = await createKvOAuthBackend({
  provider: providers.google({
    clientId: getRequiredEnv('NETSCRIPT_AUTH_CLIENT_ID'),
    clientSecret: getRequiredEnv('NETSCRIPT_AUTH_CLIENT_SECRET'),
    redirectUri: getRequiredEnv('NETSCRIPT_AUTH_REDIRECT_URI'),
  }),
});

console.log(backend.name);
`
const OWN_PROVIDER = `import { createKvOAuthBackend, defineOAuthProvider, getRequiredEnv } from '@netscript/auth-kv-oauth';

const provider = defineOAuthProvider({
  id: 'my-idp',
  clientId: getRequiredEnv('NETSCRIPT_AUTH_CLIENT_ID'),
  clientSecret: getRequiredEnv('NETSCRIPT_AUTH_CLIENT_SECRET'),
  authorizationEndpoint: getRequiredEnv('NETSCRIPT_AUTH_AUTHORIZATION_ENDPOINT'),
  tokenEndpoint: getRequiredEnv('NETSCRIPT_AUTH_TOKEN_ENDPOINT'),
  userInfoEndpoint: getRequiredEnv('NETSCRIPT_AUTH_USERINFO_ENDPOINT'),
  redirectUri: getRequiredEnv('NETSCRIPT_AUTH_REDIRECT_URI'),
  scopes: ['openid', 'profile', 'email'],
});

export const backend = await createKvOAuthBackend({ provider });
console.log(backend.name, backend.providers.listProviders()[0]?.id);
`
/** Step 5: the names of the core, each used as what it is. */
const CORE = `import {
  authContractV1,
  createAuthBackendRegistry,
  createHmacSessionTokenCrypto,
  DEFAULT_AUTH_BACKEND_NAME,
  resolveBackend,
  type AuthBackendPort,
  type AuthSession,
} from '@netscript/plugin-auth-core';
import { createWorkosBackend } from '@netscript/auth-workos';
import { createBetterAuthBackend } from '@netscript/auth-better-auth';
import { backend } from './backend.js';

const port: AuthBackendPort = backend;
const registry = createAuthBackendRegistry(new Map([[port.name, port]]));
const state: AuthSession['state'] = 'active';
const crypto = createHmacSessionTokenCrypto('a secret of more than thirty-two bytes');
const { token, sessionId } = crypto.issueSessionToken();
console.log(
  JSON.stringify({
    same: resolveBackend(registry.backends) === port && registry.default === port,
    byDefault: DEFAULT_AUTH_BACKEND_NAME,
    interactive: port.interactive !== undefined,
    opened: crypto.openSessionToken(token) === sessionId,
    routes: Object.keys(authContractV1),
    others: [typeof createWorkosBackend, typeof createBetterAuthBackend],
    state,
  }),
);
`

let directory: string
let workspace: string
let shell: Shell
let environment: Record<string, string | undefined>
let provider: LocalProvider
let database: TestDatabase
let service: RunningShell | undefined
let origin: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'netscript-tutorial-'))
  workspace = join(directory, 'my-workspace')
  await mkdir(workspace, { recursive: true })
  const tarballs = await packedTarballs()
  environment = personsEnvironment()
  environment.PATH = [join(workspace, 'node_modules/.bin'), environment.PATH].join(delimiter)
  shell = createShell(workspace, environment)
  await ok('npm init -y')
  await ok(`npm install --prefer-offline --no-audit --no-fund ${tarballs.join(' ')}`)

  origin = `http://localhost:${await freePort()}`
  const callback = `${origin}/api/v1/auth/callback`
  database = await createTestDatabase()
  provider = await startLocalProvider({
    clientId: 'your-client-id',
    clientSecret: 'your-client-secret',
    redirectUris: [callback],
    postLogoutRedirectUris: [],
  })
}, 300_000)

afterAll(async () => {
  await service?.interrupt()
  await provider?.stop()
  await database?.drop()
  await rm(directory, { recursive: true, force: true })
})

/** Runs a line that must succeed. */
async function ok(line: string): Promise<string> {
  const { code, output }: ShellAnswer = await shell.run(line)
  if (code !== 0) throw new Error(`${line} ended with ${code}:\n${output}`)
  return output
}

const curl = (path: string, options = ''): Promise<string> =>
  ok(`curl --silent --show-error ${options} ${origin}${path}`)

const read = (path: string): Promise<string> => readFile(join(workspace, path), 'utf8')

describe('the way from an empty directory to a session', () => {
  it('step 1: adds the plugin and lists it', async () => {
    const added = await ok(ADD)
    expect(added).toContain('created  plugins/auth/database/auth.prisma')
    expect(await ok('netscript plugin list')).toMatch(/^auth .*auth-api +8094/m)
    expect(await ok(ADD)).toContain('nothing was changed')
  })

  it('step 2: chooses the backend', async () => {
    environment.NETSCRIPT_AUTH_BACKEND = 'kv-oauth'
    expect(JSON.parse(await read('appsettings.json'))).toEqual({ auth: { backend: 'kv-oauth' } })
  })

  it('step 3: makes and applies the migration, client, zod schemas and seed', async () => {
    const [init, generate, seed, status] = [
      await ok(DATABASE[0] ?? ''),
      await ok(DATABASE[1] ?? ''),
      await ok(DATABASE[2] ?? ''),
      await ok(DATABASE[3] ?? ''),
    ]
    expect(init).toMatch(/Made migration \d+_init\n/)
    expect(init).toMatch(/Applied migration \d+_init\n/)
    expect(generate).toMatch(/Prisma Client in .*\n.*zod schemas in /)
    expect(await read('prisma/generated/zod/index.ts')).toContain('export const AuthUserSchema')
    expect(seed).toMatch(/Added 2 demo users/)
    expect(status).toMatch(/_init +auth\.prisma +applied/)
  })

  it('step 4: is told what is missing, and configures the provider', async () => {
    Object.assign(environment, {
      PORT: new URL(origin).port,
    })
    const refused = await shell.run('netscript start')
    expect(refused.code).not.toBe(0)
    expect(refused.output).toContain('NETSCRIPT_AUTH_CLIENT_ID')
    Object.assign(environment, {
      NETSCRIPT_AUTH_CLIENT_ID: 'your-client-id',
      NETSCRIPT_AUTH_CLIENT_SECRET: 'your-client-secret',
      NETSCRIPT_AUTH_REDIRECT_URI: `${origin}/api/v1/auth/callback`,
      NETSCRIPT_AUTH_KV_OAUTH_KEY: randomBytes(32).toString('base64url'),
      // In place of Google, the provider of this test.
      NETSCRIPT_AUTH_ISSUER: provider.issuer,
      NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS: 'true',
    })
  })

  it('step 5: compiles and runs the backend in code', async () => {
    const source = join(workspace, 'services/auth/src')
    // A developer installs TypeScript and the types of Node; here they are this repository's.
    const types = dirname(dirname(require.resolve('@types/node/package.json')))
    const tsc = join(dirname(require.resolve('typescript-7/package.json')), 'bin/tsc')
    const compile = `node ${tsc} -p services/auth --typeRoots ${types}`
    // Compile it as scaffolded, then with the developer's changes.
    await ok(compile)
    await writeFile(join(source, 'backend.ts'), PRESET)
    await writeFile(join(source, 'own-provider.ts'), OWN_PROVIDER)
    await writeFile(join(source, 'core.ts'), CORE)
    await ok(compile)
    const endpoints = {
      NETSCRIPT_AUTH_AUTHORIZATION_ENDPOINT: 'https://idp.example/auth',
      NETSCRIPT_AUTH_TOKEN_ENDPOINT: 'https://idp.example/token',
      NETSCRIPT_AUTH_USERINFO_ENDPOINT: 'https://idp.example/me',
      DATABASE_URL: database.url,
    }
    const here = createShell(workspace, { ...environment, ...endpoints })
    // Each keeps its connections for a while; what it says is enough.
    const said = async (file: string, last: string): Promise<string> => {
      const running = here.start(`node services/auth/dist/${file}`)
      await running.waitFor(last)
      await running.interrupt()
      return running.output()
    }
    const own = await said('own-provider.js', '\n')
    expect(own).toBe('kv-oauth my-idp\n')
    const [name, facts] = (await said('core.js', '}\n')).split('\n')
    expect(name).toBe('kv-oauth')
    expect(JSON.parse(facts ?? '')).toEqual({
      same: true,
      byDefault: 'kv-oauth',
      interactive: true,
      opened: true,
      routes: ['signin', 'signout', 'callback', 'session', 'me'],
      others: ['function', 'function'],
      state: 'active',
    })
  })

  it('step 5: serves it from the entry of the scaffold', async () => {
    const port = await freePort()
    const entry = createShell(workspace, {
      ...environment,
      DATABASE_URL: database.url,
      PORT: String(port),
    }).start('node --env-file=.env services/auth/dist/main.js')
    await entry.waitFor('auth-api listens at')
    expect((await fetch(`http://127.0.0.1:${port}/health/ready`)).status).toBe(200)
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/auth/me`)
    expect(await response.json()).toEqual({ authenticated: false })
    await entry.interrupt()
  })

  it('step 6: starts the service, without a session', async () => {
    service = shell.start('npm run auth')
    await service.waitFor(`Sign-in is ready:  ${origin}`)
    await curl('/health/ready', '--fail')
    expect(JSON.parse(await curl('/api/v1/auth/session'))).toEqual({ authenticated: false })
    expect(await curl('/api/v1/auth/me')).toBe('{"authenticated":false}')
  })

  it('step 6: signs in, with the cookies in a file of curl', async () => {
    const started = JSON.parse(
      await curl(
        '/api/v1/auth/signin',
        `-c cookies.txt --fail -X POST -H 'content-type: application/json' -d '{}'`,
      ),
    ) as { started: boolean; redirectUrl: string }
    expect(started.started).toBe(true)
    const callback = new URL(await completeLogin(started.redirectUrl, { login: 'ada' }))
    const answer = await curl(
      `'${callback.pathname}${callback.search}'`,
      `-b cookies.txt -c cookies.txt --output /dev/null --write-out '%{http_code} %{redirect_url}'`,
    )
    expect(answer).toBe(`303 ${origin}/`)
    expect(await read('cookies.txt')).toMatch(/^#HttpOnly_localhost\t.*\t__Host-ns_session\t/m)
    expect(JSON.parse(await curl('/api/v1/auth/session', '-b cookies.txt'))).toMatchObject({
      authenticated: true,
      session: { subject: 'ada' },
    })
    expect(JSON.parse(await curl('/api/v1/auth/me', '-b cookies.txt'))).toMatchObject({
      authenticated: true,
      user: { displayName: 'Ada Lovelace' },
      session: { state: 'active' },
    })
  })
})

describe('the checklist at its end', () => {
  it('plugin list shows the auth plugin', async () => {
    expect(JSON.parse(await ok('netscript plugin list --json'))).toMatchObject([
      { name: 'auth', enabled: true, port: 8094 },
    ])
  })
  it('db status reports the migration of auth.prisma applied, while the service runs', async () => {
    expect(await ok('netscript db status')).toMatch(
      /auth\.prisma +applied[\s\S]*All \d+ migrations/,
    )
  })
  it('the backend and the variables of the provider are set', async () => {
    const printed = await ok('env | grep ^NETSCRIPT_AUTH_')
    for (const name of ['BACKEND=kv-oauth', 'CLIENT_ID', 'CLIENT_SECRET', 'REDIRECT_URI']) {
      expect(printed).toContain(`NETSCRIPT_AUTH_${name}`)
    }
  })
  it('/health/ready succeeds', async () => {
    await curl('/health/ready', '--fail')
  })
  it('/me says that there is no session without a cookie', async () => {
    expect(await curl('/api/v1/auth/me', '--fail')).toBe('{"authenticated":false}')
  })
})
