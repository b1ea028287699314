import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { inject } from 'vitest'
import { describeWithPrograms, PATH } from './describe-with-programs.js'
import { freePort } from './redis-server.js'

/** `describe` for tests on a real PgBouncer. */
export const describeWithPgBouncer = describeWithPrograms('pgbouncer')

/** A PgBouncer in front of the Postgres of the test run. */
export interface TestPgBouncer {
  /** The URL of a database, through the pooler. */
  url(databaseUrl: string): string
  close(): Promise<void>
}

/**
 * Starts PgBouncer in transaction mode. Two connections to Postgres serve all clients of a database, so
 * that consecutive transactions of a client run on different connections.
 */
export async function startPgBouncer(
  settings: Readonly<Record<string, string>> = {},
): Promise<TestPgBouncer> {
  const { hostname, port: postgresPort, username, password } = new URL(inject('postgresUrl'))
  const directory = await mkdtemp(join(tmpdir(), 'netscript-auth-pgbouncer-'))
  const port = await freePort()
  const file = join(directory, 'pgbouncer.ini')
  const all: Record<string, string> = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'any',
    pool_mode: 'transaction',
    default_pool_size: '2',
    max_client_conn: '500',
    // Round robin, so that a client does not get its own connection state back by chance.
    server_round_robin: '1',
    ...settings,
  }
  await writeFile(
    file,
    [
      '[databases]',
      `* = host=${hostname} port=${postgresPort} user=${username} password=${password}`,
      '[pgbouncer]',
      ...Object.entries(all).map(([name, value]) => `${name} = ${value}`),
      '',
    ].join('\n'),
  )
  // PgBouncer refuses to run as root.
  const isRoot = process.getuid?.() === 0
  await chmod(directory, 0o755)
  await chmod(file, 0o644)
  const child = spawn('pgbouncer', [file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH },
    ...(isRoot && { uid: 65534, gid: 65534 }),
  })
  let said = ''
  const append = (chunk: Buffer): void => void (said += chunk.toString())
  child.stdout.on('data', append)
  child.stderr.on('data', append)
  const ended = once(child, 'exit')
  for (const deadline = performance.now() + 20_000; !(await listens(port)); await delay(10)) {
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(`pgbouncer does not listen:\n${said}`)
    }
  }
  return {
    url(databaseUrl) {
      const url = new URL(databaseUrl)
      url.host = `127.0.0.1:${port}`
      return url.href
    },
    async close() {
      child.kill('SIGKILL')
      await ended
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => resolve(false))
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
