import { shuffled } from './statistics.mjs'

/**
 * Rounds in which every server is measured once, in another order each time: what slows the machine
 * for a while slows all of them, and ratios are taken within a round.
 */
export async function measureReadRounds({
  servers,
  generator,
  databases,
  plan,
  connections,
  onProgress,
}) {
  const results = new Map(servers.map(({ subject }) => [subject.id, []]))
  for (let round = 0; round < plan.rounds; round += 1) {
    onProgress(`reads, ${connections} connections, round ${round + 1} of ${plan.rounds}`)
    for (const server of shuffled(servers)) {
      const { subject, port, pid, requestsFile } = server
      if (subject.writes) await databases.vacuum(subject.id, subject.writes)
      const result = await generator.do({
        kind: 'reads',
        port,
        path: subject.path,
        requestsFile,
        connections,
        warm: plan.warm,
        measure: plan.measure,
        serverPid: pid,
        postmasterPid: databases.postmasterPid,
      })
      server.emptyLog()
      results.get(subject.id).push({ round, ...result })
    }
  }
  return results
}

/** How many transactions each server's database has seen so far. */
export async function countTransactions(servers, databases) {
  const counts = new Map()
  for (const { subject } of servers) {
    if (subject.database) counts.set(subject.id, await databases.transactions(subject.id))
  }
  return counts
}
