import { setTimeout as delay } from 'node:timers/promises'
import { coreCpu, familyCpu, processCpu, residentBytes } from './cpu.mjs'

/** What is read from the system at both ends of a measurement. */
function sample({ serverPid, postmasterPid }) {
  return {
    at: performance.now(),
    server: processCpu(serverPid),
    postgres: familyCpu(postmasterPid),
    generator: processCpu(process.pid),
    cores: coreCpu(),
  }
}

/**
 * Warms up, then measures. `begin()` and `end()` are called at the ends of the measured time; `end`
 * answers how many operations fell into it.
 */
export async function measureWindow({ warm, measure, ...pids }, { begin, end }) {
  await delay(warm)
  begin()
  const before = sample(pids)
  await delay(measure)
  const operations = end()
  const after = sample(pids)
  const ms = after.at - before.at
  const perOperation = (name) => (after[name] - before[name]) / operations
  const share = (used) => used / (ms * 1000)
  return {
    operations,
    perSecond: (operations / ms) * 1000,
    serverCpuUs: perOperation('server'),
    postgresCpuUs: perOperation('postgres'),
    generatorCpuUs: perOperation('generator'),
    /** Shares of the time, from 0 to 1 for each core. */
    serverBusy: share(after.server - before.server),
    coresBusy: after.cores.map((busy, core) => share(busy - before.cores[core])),
    residentBytes: residentBytes(pids.serverPid),
  }
}
