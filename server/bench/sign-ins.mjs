import { shuffled } from './statistics.mjs'
import { startHelper, startSubject } from './processes.mjs'

/** Sign-ins per second in interleaved rounds, at a local provider that approves at once. */
export async function measureSignInRounds({
  subjects,
  generator,
  databases,
  plan,
  directory,
  cleanUp,
  onProgress,
}) {
  const provider = await startHelper('provider.mjs')
  cleanUp(() => provider.stop())
  const { issuer, port: providerPort } = provider.greeting
  const servers = []
  for (const subject of subjects) {
    const databaseUrl = subject.database && databases.urlOf(subject.id)
    const server = await startSubject(subject, { directory, databaseUrl, issuer })
    cleanUp(() => server.stop())
    servers.push(server)
  }
  const measure = async ({ subject, port, pid, emptyLog }, times) => {
    const result = await generator.do({
      kind: 'sign-ins',
      port,
      providerPort,
      flow: subject.flow,
      connections: plan.connections,
      ...times,
      serverPid: pid,
      postmasterPid: databases.postmasterPid,
    })
    emptyLog()
    return result
  }
  onProgress('sign-ins, warming up')
  for (const server of servers) await measure(server, { warm: 0, measure: plan.firstWarm })
  const results = new Map(subjects.map(({ id }) => [id, []]))
  for (let round = 0; round < plan.rounds; round += 1) {
    onProgress(`sign-ins, round ${round + 1} of ${plan.rounds}`)
    for (const server of shuffled(servers)) {
      const result = await measure(server, { warm: plan.warm, measure: plan.measure })
      results.get(server.subject.id).push({ round, ...result })
    }
  }
  for (const server of servers) await server.stop()
  await provider.stop()
  return results
}
