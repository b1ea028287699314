import { residentBytes } from './cpu.mjs'
import { startSubject } from './processes.mjs'

/** Time from the start of the process until it is ready, on an existing database. */
export async function measureStarts({ subject, databases, times, directory, onProgress }) {
  onProgress(`${times} starts`)
  const starts = []
  for (let n = 0; n < times; n += 1) {
    const server = await startSubject(subject, {
      directory,
      databaseUrl: databases.urlOf(subject.id),
    })
    starts.push({ ms: server.startMs, residentBytes: residentBytes(server.pid) })
    await server.stop()
  }
  return starts
}
