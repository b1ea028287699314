import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pick } from './people.mjs'
import { startSubject } from './processes.mjs'

/**
 * Creates a database with the same sessions for every subject: one per kind is filled, the others are
 * copies.
 */
export async function createDatabases(databases, subjects, count, onProgress) {
  const filled = new Map()
  for (const subject of subjects.filter(({ database }) => database)) {
    const original = filled.get(subject.database)
    if (original) {
      await databases.copy(subject.id, original)
      continue
    }
    onProgress(`filling ${subject.database} with ${count} sessions`)
    await databases.create(subject.id, subject.seed, count)
    filled.set(subject.database, subject.id)
  }
  await databases.checkpoint()
}

/** Starts the subjects and records the requests of each. */
export function startReaders({
  subjects,
  databases,
  settings,
  count,
  directory,
  cleanUp,
  service,
}) {
  const picks = pick(settings.cookies, count)
  const start = async (subject) => {
    const server = await startSubject(subject, {
      directory,
      databaseUrl: subject.database && databases.urlOf(subject.id),
      service: service?.url,
    })
    cleanUp(() => server.stop())
    const requestsFile = join(directory, `${subject.id}.requests.json`)
    const requests = await subject.requests({ picks, port: server.port, service: service?.url })
    await writeFile(requestsFile, JSON.stringify(requests))
    return { ...server, requestsFile, servicePid: service?.pid }
  }
  return Promise.all(subjects.map(start))
}
