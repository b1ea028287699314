import { readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Waits until the benchmark ends or dies, and then removes its Postgres and its directory. Servers and
 * helper processes exit on their own.
 */
const [directory] = process.argv.slice(2)
const dataDir = join(directory, 'postgres')

/** The postmaster of this directory, which is its working directory. */
function postmaster() {
  try {
    const pid = Number(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n', 1)[0])
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dataDir) ? pid : undefined
  } catch {
    return undefined
  }
}

process.on('disconnect', async () => {
  for (let pid = postmaster(), tries = 0; pid && tries < 100; pid = postmaster(), tries += 1) {
    if (tries === 0) process.kill(pid, 'SIGINT')
    await delay(100)
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 10 })
  process.exit()
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
