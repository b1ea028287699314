import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../local/postgres.js'

/** A dedicated Postgres, so that a test can stop it. */
export interface CrashablePostgres {
  readonly url: string
  /**
   * Kills it and resolves when it has ended: SIGQUIT is `pg_ctl stop -m immediate`, SIGKILL what the
   * kernel's OOM killer sends.
   */
  crash(signal: 'SIGQUIT' | 'SIGKILL'): Promise<void>
  /** Starts it again on the same port; resolves when it accepts connections. */
  start(): Promise<void>
  close(): Promise<void>
}

/** Starts a {@link CrashablePostgres}; what it has committed survives a crash of its processes. */
export async function startCrashablePostgres(port: number): Promise<CrashablePostgres> {
  const directory = await mkdtemp(join(tmpdir(), 'netscript-auth-faults-'))
  const dataDir = join(directory, 'postgres')
  const launch = (): Promise<EmbeddedPostgres> =>
    // A crash of Postgres does not affect the operating system, so nothing has to reach the disk.
    startEmbeddedPostgres({ dataDir, port, settings: { fsync: 'off' } })
  let postgres = await launch()
  return {
    url: postgres.url,
    async crash(signal) {
      const pid = Number(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')[0])
      process.kill(pid, signal)
      await vi.waitFor(() => expectGone(pid), { timeout: 20_000, interval: 5 })
      await postgres.stop()
    },
    async start() {
      postgres = await launch()
    },
    async close() {
      await postgres.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function expectGone(pid: number): void {
  try {
    process.kill(pid, 0)
  } catch {
    return
  }
  throw new Error(`Process ${pid} is still there.`)
}
