import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { renderChart } from './chart.mjs'
import { goals } from './goals.mjs'
import { describeMachine, pinSelf } from './machine.mjs'
import { settingsOf } from './settings.mjs'

/** `node run.mjs quick` or `node run.mjs full`: measures, prints a table and saves it in results/. */
const here = (path) => join(import.meta.dirname, path)
const CLEAN_UP_PATIENCE_MS = 30_000
const began = Date.now()
const settings = settingsOf(process.argv[2] ?? 'quick')

const fix = !existsSync(here('../dist/cli/main.js'))
  ? 'There is no build to measure. Run npm run build in the repository first.'
  : !existsSync(here('node_modules'))
    ? 'The peers are not installed. Run npm ci in server/bench first.'
    : undefined
if (fix) {
  console.error(fix)
  process.exit(1)
}

/** Cleanup functions, run in reverse order. */
const undo = []
const cleanUp = (step) => void undo.push(step)
let cleaning
const clean = () =>
  (cleaning ??= (async () => {
    for (const step of undo.reverse()) await step().catch((error) => console.error(error.message))
  })())
const giveUp = (why) => async () => {
  console.error(why)
  setTimeout(() => process.exit(1), CLEAN_UP_PATIENCE_MS)
  await clean()
  process.exit(1)
}
process.once('SIGINT', giveUp('interrupted'))
process.once('SIGTERM', giveUp('terminated'))
setTimeout(
  giveUp(`not done after ${settings.deadline / 60_000} minutes`),
  settings.deadline,
).unref()

const onProgress = (message) => {
  const seconds = Math.round((Date.now() - began) / 1000)
  process.stderr.write(`${String(seconds).padStart(5)} s  ${message}\n`)
}

try {
  const results = await measure()
  await mkdir(here('results'), { recursive: true })
  const { renderReport } = await import('./report.mjs')
  const report = renderReport(results)
  await writeFile(here('results/latest.md'), report)
  const asJson = (value) => `${JSON.stringify(value, null, 2)}\n`
  await writeFile(here('results/latest.json'), asJson(results.goals))
  await writeFile(here('results/measurements.json'), asJson(results))
  await writeFile(here('results/latest.svg'), renderChart(results))
  console.log(report)
  onProgress('done')
  const rows = [
    ...results.reads,
    ...Object.values(results.otherReads).flat(),
    ...results.guarded,
    ...results.signIns,
  ]
  for (const { label, wrong, errors = 0, firstWrong } of rows) {
    if (wrong + errors === 0) continue
    console.error(`${label}: ${wrong} wrong answers, ${errors} errors. ${firstWrong ?? ''}`)
    process.exitCode = 1
  }
} catch (error) {
  console.error(error)
  process.exitCode = 1
} finally {
  await clean()
}
process.exit()

/** Cleans up after a benchmark that was killed. */
function startCaretaker(directory) {
  const child = spawn(process.execPath, [here('caretaker.mjs'), directory], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  child.unref()
  child.channel.unref()
  return child
}

async function measure() {
  // Measured first, to describe the idle machine.
  const machine = describeMachine()
  pinSelf()
  const [
    { readers, signers },
    { startDatabases },
    { createDatabases, startReaders },
    processes,
    reads,
    summary,
  ] = await Promise.all([
    import('./subjects/index.mjs'),
    import('./postgres.mjs'),
    import('./prepare.mjs'),
    import('./processes.mjs'),
    import('./reads.mjs'),
    import('./summary.mjs'),
  ])
  const [
    { measureSignInRounds },
    { measureGrowth },
    { measureStarts },
    { measureTestingKit },
    { measureGuarded },
    { median, spread },
  ] = await Promise.all([
    import('./sign-ins.mjs'),
    import('./growth.mjs'),
    import('./starts.mjs'),
    import('./testing-kit.mjs'),
    import('./guarded.mjs'),
    import('./statistics.mjs'),
  ])

  const testingKit = measureTestingKit(onProgress)
  const directory = await mkdtemp(join(tmpdir(), 'netscript-bench-'))
  cleanUp(() => rm(directory, { recursive: true, force: true }))
  const caretaker = startCaretaker(directory)
  cleanUp(async () => caretaker.disconnect())
  onProgress('starting Postgres')
  const databases = await startDatabases(directory)
  cleanUp(() => databases.stop())
  const generator = await processes.startHelper('generator.mjs')
  cleanUp(() => generator.stop())
  const session = readers.find(({ id }) => id === 'session')

  await createDatabases(databases, readers, settings.sessions, onProgress)
  const bytesPerSession = (await databases.sizeOf('session', 'auth_keyv')) / settings.sessions
  for (const subject of signers.filter(({ database }) => database)) {
    await databases.create(subject.id, subject.seed, 0)
  }
  const startList = await measureStarts({
    subject: session,
    databases,
    times: settings.starts,
    directory,
    onProgress,
  })
  onProgress('starting the servers')
  const common = { databases, settings, directory, cleanUp, generator, onProgress }
  const servers = await startReaders({ subjects: readers, count: settings.sessions, ...common })

  const before = await reads.countTransactions(servers, databases)
  const measured = await reads.measureReadRounds({
    servers,
    plan: settings.reads,
    connections: settings.reads.connections,
    ...common,
  })
  const paired = await reads.measureReadRounds({
    servers: servers.filter(({ subject }) => ['f1', 'session', 'me'].includes(subject.id)),
    plan: settings.paired,
    connections: settings.reads.connections,
    ...common,
  })
  const {
    results: signInResults,
    statements: statementsPerSignIn,
    cold: coldSignIn,
  } = await measureSignInRounds({
    subjects: signers,
    plan: settings.signIns,
    ...common,
  })
  // Postgres reports counters within ten seconds after a backend becomes idle; the sign-ins took longer.
  const after = await reads.countTransactions(servers, databases)

  const otherReads = {}
  for (const connections of settings.otherConnections) {
    const { only } = settings.others
    const { results } = await reads.measureReadRounds({
      servers: servers.filter(({ subject }) => !only || only.includes(subject.id)),
      plan: settings.others,
      connections,
      ...common,
    })
    otherReads[connections] = summary.summarizeReads(readers, results)
  }
  for (const server of servers) await server.stop()

  const guardedRoutes = await measureGuarded(common)

  const grown = readers.filter(({ id }) => id === 'f1' || id === 'session')
  const growthResults = settings.growth && (await measureGrowth({ subjects: grown, ...common }))

  const summarized = {
    machine,
    settings,
    postgres: { version: databases.version, settings: databases.settings },
    bytesPerSession,
    foreign: summary.foreignLoad(measured.results, signInResults),
    reads: summary.summarizeReads(
      readers,
      measured.results,
      summary.statementsPerRead(before, after, measured, paired),
    ),
    paired: summary.summarizeReads(readers, paired.results),
    otherReads,
    guarded: guardedRoutes,
    statementsPerSignIn,
    coldSignIn,
    signIns: summary.summarizeSignIns(signers, signInResults),
    growth: growthResults && summary.summarizeGrowth(grown, growthResults, settings.growth),
    starts: {
      ms: spread(startList.map(({ ms }) => ms)),
      medianMs: median(startList.map(({ ms }) => ms)),
      residentBytes: median(startList.map(({ residentBytes }) => residentBytes)),
    },
    testingKit,
  }
  return { ...summarized, goals: goals(summarized) }
}
