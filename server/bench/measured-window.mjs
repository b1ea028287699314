import { setTimeout as delay } from 'node:timers/promises'
import { coreCpu, familyCpu, processCpu, residentBytes } from './cpu.mjs'

/** A sample of the system's counters. */
function sample({ serverPid, servicePid, postmasterPid }) {
  return {
    at: performance.now(),
    server: processCpu(serverPid),
    service: servicePid && processCpu(servicePid),
    postgres: familyCpu(postmasterPid),
    generator: processCpu(process.pid),
    cores: coreCpu(),
  }
}

/**
 * Warms up, then measures. `begin()` and `end()` are called at the start and the end of the measured
 * time; `end` returns the number of operations in between.
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
    /** Of the service that a guard asks. */
    serviceCpuUs: pids.servicePid && perOperation('service'),
    generatorCpuUs: perOperation('generator'),
    /** Busy share per core, from 0 to 1. */
    serverBusy: share(after.server - before.server),
    coresBusy: after.cores.map((busy, core) => share(busy - before.cores[core])),
    residentBytes: residentBytes(pids.serverPid),
  }
}
