import { processCpu } from './cpu.mjs'
import { measureReads } from './read-load.mjs'
import { measureSignIns } from './sign-in-load.mjs'

/** The load generator: a process of its own that does one job after another for the parent. */
const JOBS = { reads: measureReads, 'sign-ins': measureSignIns }

process.on('disconnect', () => process.exit())
process.on('message', async ({ kind, ...job }) => {
  try {
    process.send({ result: await JOBS[kind](job) })
  } catch (error) {
    process.send({ error: error.stack })
  }
})
// The IPC channel keeps the process alive.
process.channel.ref()
process.send({ ready: processCpu(process.pid) !== undefined })
