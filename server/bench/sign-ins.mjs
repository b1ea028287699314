import { shuffled } from './statistics.mjs'
import { startHelper, startSubject } from './processes.mjs'

/** Sign-ins a second in interleaved rounds, at a local provider that approves at once. */
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
  const results = new Map(subjects.map(({ id }) => [id, []]))
  for (let round = 0; round < plan.rounds; round += 1) {
    onProgress(`sign-ins, round ${round + 1} of ${plan.rounds}`)
    for (const { subject, port, pid, emptyLog } of shuffled(servers)) {
      const result = await generator.do({
        kind: 'sign-ins',
        port,
        providerPort,
        flow: subject.flow,
        connections: plan.connections,
        warm: plan.warm,
        measure: plan.measure,
        serverPid: pid,
        postmasterPid: databases.postmasterPid,
      })
      emptyLog()
      results.get(subject.id).push({ round, ...result })
    }
  }
  for (const server of servers) await server.stop()
  await provider.stop()
  return results
}
