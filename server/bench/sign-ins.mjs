import { setTimeout as delay } from 'node:timers/promises'
import { processCpu } from './cpu.mjs'
import { shuffled } from './statistics.mjs'
import { startHelper, startSubject } from './processes.mjs'

/** A process loads in this time what sign-ins need. */
const IDLE_MS = 2_000
/** Postgres reports counters within ten seconds after a backend becomes idle. */
const COUNTERS_MS = 11_000

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
    // Otherwise the users of a long run would have more sessions than real ones.
    if (subject.tidy) await databases.tidy(subject.id, subject.tidy)
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
  const ours = servers.find(({ subject }) => subject.ours)
  const cold = ours && (await measureFirst(ours, { generator, databases, providerPort }))
  onProgress('sign-ins, warming up')
  for (const server of servers) await measure(server, { warm: 0, measure: plan.firstWarm })
  const results = new Map(subjects.map(({ id }) => [id, []]))
  const transactions = () => (ours ? databases.transactions(ours.subject.id) : 0)
  await delay(COUNTERS_MS)
  const before = await transactions()
  for (let round = 0; round < plan.rounds; round += 1) {
    onProgress(`sign-ins, round ${round + 1} of ${plan.rounds}`)
    for (const server of shuffled(servers)) {
      const result = await measure(server, { warm: plan.warm, measure: plan.measure })
      results.get(server.subject.id).push({ round, ...result })
    }
  }
  await delay(COUNTERS_MS)
  const counted = (await transactions()) - before
  for (const server of servers) await server.stop()
  await provider.stop()
  const rounds = results.get(ours?.subject.id) ?? []
  const sum = (field) => rounds.reduce((total, round) => total + round[field], 0)
  // To one decimal: the sweep and sign-ins that the end of a round cut off count too.
  const statements = Math.round(((counted - sum('checked')) / sum('completed')) * 10) / 10
  return { results, cold, statements }
}

/** The CPU of the first sign-in of a process that has been idle for a moment. */
async function measureFirst({ subject, port, pid }, { generator, databases, providerPort }) {
  await delay(IDLE_MS)
  const before = processCpu(pid)
  await generator.do({
    kind: 'sign-ins',
    ...{
      port,
      providerPort,
      flow: subject.flow,
      connections: 1,
      most: 1,
      warm: 0,
      measure: IDLE_MS,
    },
    ...{ serverPid: pid, postmasterPid: databases.postmasterPid },
  })
  return { cpuMs: (processCpu(pid) - before) / 1000 }
}
