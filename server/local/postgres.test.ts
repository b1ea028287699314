import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AuthConfigurationError } from '../../backends/errors.js'
import { type EmbeddedPostgres, startEmbeddedPostgres } from './postgres.js'

const root = process.getuid?.() === 0
const NOBODY = { uid: 65534, gid: 65534 }
const FAST = { fsync: 'off', max_connections: '20', shared_buffers: '1MB' }

let parent: string
let dataDir: string
const running: EmbeddedPostgres[] = []
const children: ChildProcess[] = []

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'netscript-auth-postgres-'))
  dataDir = join(parent, 'data', 'postgres')
})

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await Promise.all(running.splice(0).map((each) => each.stop()))
  if (postmasterPid() !== undefined) await (await startEmbeddedPostgres({ dataDir })).stop()
  rmSync(parent, { recursive: true })
})

async function start(
  options: Partial<Parameters<typeof startEmbeddedPostgres>[0]> = {},
): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ dataDir, settings: FAST, ...options })
  running.push(postgres)
  return postgres
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

function postmasterPid(): number | undefined {
  const file = join(dataDir, 'postmaster.pid')
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : undefined
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** Another process of ours: starts, says where, and then waits or ends. */
async function startElsewhere(
  then: 'wait' | 'end',
  identity: { uid?: number; gid?: number } = {},
): Promise<{ child: ChildProcess; url: string }> {
  const script = `
    import { startEmbeddedPostgres } from './server/local/postgres.ts'
    const options = ${JSON.stringify({ dataDir, settings: FAST })}
    const { url } = await startEmbeddedPostgres(options)
    console.log(url)
    ${then === 'wait' ? 'setInterval(() => {}, 60_000)' : ''}`
  const child = spawn(
    process.execPath,
    [
      '--conditions',
      '@netscript/source',
      '--import',
      'tsx',
      '--input-type=module',
      '--eval',
      script,
    ],
    {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
      ...identity,
    },
  )
  children.push(child)
  const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return { child, url }
}

async function killElsewhere(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

describe('startEmbeddedPostgres', () => {
  it('makes a database the first time and finds it the second time', async () => {
    const progress: string[] = []
    const first = await start({ onProgress: (message) => progress.push(message) })
    expect(first.adopted).toBe(false)
    expect(new URL(first.url)).toMatchObject({
      hostname: '127.0.0.1',
      pathname: '/netscript_auth',
    })
    await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS one')
    await first.stop()
    const second = await start({ onProgress: (message) => progress.push(message) })
    expect(await query(second.url, 'SELECT one FROM kept')).toEqual([{ one: 1 }])
    expect(progress).toEqual([
      'Preparing the database (first start only)',
      'Starting the database',
      'Starting the database',
    ])
  })

  it('listens on loopback only, wants a password, and stores text byte by byte', async () => {
    const { url } = await start()
    const [settings] = await query(
      url,
      `SELECT current_setting('listen_addresses') AS listen,
         current_setting('unix_socket_directories') AS socket,
         current_setting('TimeZone') AS zone, current_setting('server_encoding') AS encoding,
         (SELECT datcollate FROM pg_database WHERE datname = current_database()) AS collation,
         (SELECT bool_and(auth_method = 'scram-sha-256') FROM pg_hba_file_rules) AS scram`,
    )
    expect(settings).toEqual({
      listen: '127.0.0.1',
      socket: '',
      zone: 'UTC',
      encoding: 'UTF8',
      collation: 'C',
      scram: true,
    })
    const wrong = new URL(url)
    wrong.password = 'wrong'
    await expect(query(wrong.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' })
    const files = readdirSync(dataDir).filter((name) => name.startsWith('netscript-auth'))
    expect(files).toEqual(['netscript-auth.password'])
    expect(statSync(join(dataDir, 'netscript-auth.password')).mode & 0o777).toBe(0o600)
  })

  it('keeps what it wrote through a crash unless asked otherwise', async () => {
    const { url } = await start({ settings: {} })
    expect(await query(url, 'SHOW fsync')).toEqual([{ fsync: 'on' }])
    expect(await query(url, 'SHOW synchronous_commit')).toEqual([{ synchronous_commit: 'on' }])
  })

  it('uses the port and the settings that it is given', async () => {
    const first = await start()
    await first.stop()
    const port = Number(new URL(first.url).port)
    const again = await start({ port, settings: { ...FAST, work_mem: '5MB' } })
    expect(new URL(again.url).port).toBe(String(port))
    expect(await query(again.url, 'SHOW work_mem')).toEqual([{ work_mem: '5MB' }])
  })

  it('stops, and stopping is idempotent', async () => {
    const postgres = await start()
    const pid = postmasterPid() ?? 0
    expect(isAlive(pid)).toBe(true)
    await Promise.all([postgres.stop(), postgres.stop()])
    expect(postmasterPid()).toBeUndefined()
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false))
  })

  it('stops when its process exits without stopping it', async () => {
    const { child } = await startElsewhere('end')
    if (child.exitCode === null) await once(child, 'exit')
    expect(child.exitCode).toBe(0)
    await vi.waitFor(() => expect(postmasterPid()).toBeUndefined(), { timeout: 10_000 })
  })

  it('adopts the one that a killed process left behind', async () => {
    const { child, url } = await startElsewhere('wait')
    const pid = postmasterPid()
    await query(url, 'CREATE TABLE kept AS SELECT 1 AS one')
    await killElsewhere(child)
    // The process that read Postgres's log is gone.
    await expect(query(url, 'SELECT nonsense')).rejects.toThrow(/nonsense/)
    const adopted = await start()
    expect(adopted).toMatchObject({ adopted: true, url })
    expect(postmasterPid()).toBe(pid)
    expect(await query(adopted.url, 'SELECT one FROM kept')).toEqual([{ one: 1 }])
    await adopted.stop()
    expect(postmasterPid()).toBeUndefined()
    await vi.waitFor(() => expect(isAlive(pid ?? 0)).toBe(false))
  })

  it('moves an adopted one to the port that is asked for', async () => {
    const { child, url } = await startElsewhere('wait')
    await killElsewhere(child)
    const probe = await startEmbeddedPostgres({ dataDir: join(parent, 'other'), settings: FAST })
    await probe.stop()
    const port = Number(new URL(probe.url).port)
    const moved = await start({ port })
    expect(moved.adopted).toBe(false)
    expect(new URL(moved.url).port).toBe(String(port))
    await expect(query(url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('refuses a directory that another live process uses, and says which and what to do', async () => {
    const { child, url } = await startElsewhere('wait')
    const refusal = await start().catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(AuthConfigurationError)
    const { message } = refusal as Error
    for (const part of [dataDir, `(${child.pid})`, 'NETSCRIPT_AUTH_DATA_DIR', 'DATABASE_URL']) {
      expect(message).toContain(part)
    }
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('lets one of several that start at once have the directory', async () => {
    const starts = await Promise.allSettled([start(), start(), start()])
    const refused = starts.filter((each) => each.status === 'rejected')
    expect(refused.map(({ reason }) => (reason as Error).message)).toEqual([
      expect.stringContaining('in use'),
      expect.stringContaining('in use'),
    ])
    expect(await query(running[0]?.url ?? '', 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect(readdirSync(join(parent, 'data'))).toEqual(['postgres'])
  })

  it('takes the directory of one that is just being stopped', async () => {
    const first = await start()
    const [, second] = await Promise.all([first.stop(), start()])
    expect(second.adopted).toBe(false)
    expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('ignores a postmaster.pid whose process id was reused', async () => {
    await (await start()).stop()
    writeFileSync(
      join(dataDir, 'postmaster.pid'),
      `${process.pid}\n${dataDir}\n1700000000\n1\n\n127.0.0.1\n`,
    )
    const postgres = await start()
    expect(postgres.adopted).toBe(false)
    expect(postmasterPid()).not.toBe(process.pid)
  })

  it('restarts after Postgres itself was killed', async () => {
    const first = await start({ settings: { ...FAST, fsync: 'on' } })
    await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS one')
    const pid = postmasterPid() ?? 0
    process.kill(pid, 'SIGKILL')
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false))
    const second = await start()
    expect(second.adopted).toBe(false)
    expect(await query(second.url, 'SELECT one FROM kept')).toEqual([{ one: 1 }])
  })

  it('refuses a directory that holds something else, and leaves it alone', async () => {
    mkdirSync(dataDir, { recursive: true })
    writeFileSync(join(dataDir, 'letter.txt'), 'mine')
    const refusal = await start().catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(AuthConfigurationError)
    expect((refusal as Error).message).toContain('NETSCRIPT_AUTH_DATA_DIR')
    expect(readdirSync(dataDir)).toEqual(['letter.txt'])
  })

  it('names the fix when Postgres does not start', async () => {
    const refusal = await start({ settings: { shared_buffers: 'many' } }).catch(
      (error: unknown) => error,
    )
    expect(refusal).toBeInstanceOf(AuthConfigurationError)
    expect((refusal as Error).message).toMatch(/shared_buffers.*DATABASE_URL/)
  })

  it.runIf(root)(
    'runs Postgres as an unprivileged account for root, also below a closed directory',
    async () => {
      expect(statSync(parent).mode & 0o077).toBe(0)
      await start()
      expect(statSync(dataDir).uid).toBe(NOBODY.uid)
      expect(statSync(`/proc/${postmasterPid()}`).uid).toBe(NOBODY.uid)
    },
  )

  it.runIf(root)('works for a plain user, whose orphan root adopts', async () => {
    chownSync(parent, NOBODY.uid, NOBODY.gid)
    chmodSync(parent, 0o700)
    const { child, url } = await startElsewhere('wait', NOBODY)
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect(statSync(dataDir).uid).toBe(NOBODY.uid)
    await killElsewhere(child)
    const again = await startElsewhere('wait', NOBODY)
    expect(again.url).toBe(url)
    await killElsewhere(again.child)
    expect(await start()).toMatchObject({ adopted: true, url })
  })
})
