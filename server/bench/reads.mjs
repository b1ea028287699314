import { shuffled } from './statistics.mjs'

/**
 * Measures every server once per round, in a new random order. A slow phase of the machine affects all
 * servers, and ratios are taken within a round.
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
  const measure = async ({ subject, port, pid, servicePid, requestsFile, emptyLog }, times) => {
    if (subject.writes) await databases.vacuum(subject.id, subject.writes)
    const result = await generator.do({
      kind: 'reads',
      port,
      path: subject.path,
      requestsFile,
      connections,
      ...times,
      serverPid: pid,
      servicePid,
      postmasterPid: databases.postmasterPid,
    })
    emptyLog()
    return result
  }
  const warmUps = new Map()
  if (plan.firstWarm > 0) {
    onProgress(`reads, ${connections} connections, warming up`)
    for (const server of servers) {
      warmUps.set(server.subject.id, await measure(server, { warm: 0, measure: plan.firstWarm }))
    }
  }
  for (let round = 0; round < plan.rounds; round += 1) {
    onProgress(`reads, ${connections} connections, round ${round + 1} of ${plan.rounds}`)
    for (const server of shuffled(servers)) {
      const result = await measure(server, { warm: plan.warm, measure: plan.measure })
      results.get(server.subject.id).push({ round, ...result })
    }
  }
  return { results, warmUps }
}

/** Number of transactions in each server's database so far. */
export async function countTransactions(servers, databases) {
  const counts = new Map()
  for (const { subject } of servers) {
    if (subject.database) counts.set(subject.id, await databases.transactions(subject.id))
  }
  return counts
}
