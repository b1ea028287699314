import { startReaders } from './prepare.mjs'
import { measureReadRounds } from './reads.mjs'

/** The same subject on a small and on a large table, in one set of rounds. */
export async function measureGrowth({ subjects, databases, settings, ...rest }) {
  const plan = settings.growth
  const servers = []
  for (const count of [plan.from, plan.to]) {
    const sized = subjects.map((subject) => ({
      ...subject,
      serveAs: subject.id,
      id: `${subject.id}-${count}`,
    }))
    for (const subject of sized) {
      rest.onProgress(`filling ${subject.id}`)
      await databases.create(subject.id, subject.seed, count)
    }
    servers.push(...(await startReaders({ subjects: sized, databases, settings, count, ...rest })))
  }
  await databases.checkpoint()
  const { results } = await measureReadRounds({
    servers,
    databases,
    plan,
    connections: plan.connections,
    ...rest,
  })
  for (const server of servers) await server.stop()
  return results
}
