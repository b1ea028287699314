import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { residentBytes } from './cpu.mjs'
import { pinSelf } from './machine.mjs'
import { subjectOf } from './people.mjs'
import { startDatabases } from './postgres.mjs'
import { startHelper, startSubject } from './processes.mjs'
import { bodyText } from './connection.mjs'
import { signIn, talkTo } from './sign-in-load.mjs'
import { signers } from './subjects/index.mjs'

/**
 * `node memory.mjs [minutes]`: the memory of the service under a mixed load, 30 minutes by default, as
 * the slope of a line through the samples of the last two thirds.
 */
const MINUTES = Number(process.argv[2] ?? 30)
const SAMPLE_MS = 5_000
/** Each turn is a sign-in, the sign-out of the oldest session, and reads of others. */
const TURN_MS = 100
const READS_PER_TURN = 20
const SESSIONS = 200
const PEOPLE = 2_000
const GOAL_MIB_PER_HOUR = 20
const MIB = 2 ** 20

const undo = []
try {
  pinSelf()
  const directory = await mkdtemp(join(tmpdir(), 'netscript-bench-'))
  undo.push(() => rm(directory, { recursive: true, force: true }))
  const databases = await startDatabases(directory)
  undo.push(() => databases.stop())
  const provider = await startHelper('provider.mjs')
  undo.push(() => provider.stop())
  const subject = signers.find(({ ours }) => ours)
  await databases.create(subject.id, subject.seed, 0)
  const server = await startSubject(subject, {
    directory,
    databaseUrl: databases.urlOf(subject.id),
    issuer: provider.greeting.issuer,
  })
  undo.push(() => server.stop())
  const result = await measure(server, provider.greeting.port)
  await mkdir(join(import.meta.dirname, 'results'), { recursive: true })
  const file = join(import.meta.dirname, 'results/memory.json')
  await writeFile(file, `${JSON.stringify(result, null, 2)}\n`)
  const { minutes, turns, fromMiB, toMiB, value, goal, met } = result
  console.log(
    `${minutes} minutes, ${turns} sign-ins and sign-outs, ${turns * READS_PER_TURN} reads: ${fromMiB.toFixed(0)} MiB after a third, ${toMiB.toFixed(0)} MiB at the end, ${value.toFixed(1)} MiB an hour (goal ${goal}: ${met ? 'met' : 'not met'})`,
  )
} finally {
  for (const step of undo.reverse()) await step().catch((error) => console.error(error.message))
}
process.exit()

async function measure({ subject, port, pid, emptyLog }, providerPort) {
  const { flow } = subject
  const service = talkTo(port)
  const atProvider = talkTo(providerPort)
  const cookies = []
  const samples = []
  const began = performance.now()
  const elapsed = () => performance.now() - began
  let turns = 0
  let sampled = 0
  while (elapsed() < MINUTES * 60_000) {
    const person = subjectOf(1 + (turns % PEOPLE))
    cookies.push(await signIn({ service, provider: atProvider, flow, person }))
    if (cookies.length > SESSIONS) await signOut(service, cookies.shift())
    for (let read = 0; read < READS_PER_TURN; read += 1) {
      const Cookie = cookies[(Math.random() * cookies.length) | 0]
      const answer = await service.request({ path: flow.read, headers: { Cookie } })
      if (!bodyText(answer).includes('"person-')) throw new Error('A session was not found.')
    }
    turns += 1
    if (elapsed() - sampled >= SAMPLE_MS) {
      sampled = elapsed()
      samples.push({ hours: sampled / 3_600_000, mib: residentBytes(pid) / MIB })
      emptyLog()
    }
    await delay(Math.max(0, turns * TURN_MS - elapsed()))
  }
  const steady = samples.slice(Math.floor(samples.length / 3))
  const value = slopeOf(steady)
  return {
    id: 'memory-slope',
    what: 'memory under a mixed load, MiB an hour',
    value,
    goal: `<= ${GOAL_MIB_PER_HOUR}`,
    met: value <= GOAL_MIB_PER_HOUR,
    ...{ minutes: MINUTES, turns, samples },
    fromMiB: steady[0].mib,
    toMiB: steady.at(-1).mib,
  }
}

async function signOut(service, cookie) {
  const { status } = await service.request({
    method: 'POST',
    path: '/api/v1/auth/signout',
    headers: { Cookie: cookie, 'Content-Type': 'application/json' },
    body: '{}',
  })
  if (status >= 400) throw new Error(`The sign-out was answered with ${status}.`)
}

/** Least squares. */
function slopeOf(samples) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [x, y] = [mean(samples.map(({ hours }) => hours)), mean(samples.map(({ mib }) => mib))]
  const top = mean(samples.map(({ hours, mib }) => (hours - x) * (mib - y)))
  return top / mean(samples.map(({ hours }) => (hours - x) ** 2))
}
