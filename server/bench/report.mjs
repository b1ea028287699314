/** The results as a Markdown document. */
export function renderReport(results) {
  const {
    machine,
    settings,
    postgres,
    foreign,
    reads,
    otherReads,
    guarded,
    signIns,
    growth,
    starts,
    coldSignIn,
    testingKit,
    goals,
  } = results
  const sections = [
    `# Benchmark, ${settings.mode}`,
    preamble(machine, settings, postgres, foreign),
    `## Reading a session: ${settings.reads.connections} connections`,
    readTable(reads),
    READ_NOTES,
    ...Object.entries(otherReads).flatMap(([connections, rows]) => [
      `## Reading a session: ${connections} connections`,
      readTable(rows),
    ]),
    '## A guarded request',
    guardedTable(guarded),
    GUARDED_NOTES,
    '## Signing in',
    signInTable(signIns),
    SIGN_IN_NOTES,
    ...(growth
      ? [
          `## ${number(settings.growth.from)} to ${number(settings.growth.to)} sessions`,
          growthTable(growth),
        ]
      : []),
    '## Start and memory',
    startTable(starts, reads, coldSignIn),
    '## Testing kit',
    table(
      ['what', 'CPU ms'],
      [
        ['import', digits(testingKit.importCpuMs)],
        ['the first signed-in test of a process', digits(testingKit.firstCpuMs)],
        ['a signed-in test, median', digits(testingKit.testCpuMs)],
      ],
    ),
    '## Goals',
    table(
      ['what', 'measured', 'goal', 'met'],
      goals.map(({ what, value: median, min = median, max = median, goal, met }) => [
        what,
        min === max ? digits(median) : spreadText({ median, min, max }),
        goal,
        met ? 'yes' : 'no',
      ]),
    ),
  ]
  return `${sections.join('\n\n')}\n`
}

function preamble(machine, settings, postgres, foreign) {
  const packages = Object.entries(machine.packages)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')
  return [
    `Measured ${machine.date} at commit ${machine.commit}${machine.changed ? ' with uncommitted changes' : ''} on ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}, Node ${machine.node}, ${postgres.version} on loopback TCP.`,
    machine.pinned
      ? 'Each server has one core to itself; Postgres, the provider and the load generator share the other.'
      : 'Nothing could be pinned to a core here (no taskset, or one core): servers, Postgres and the load generator got into one another’s way.',
    `${number(settings.sessions)} live sessions in every table, ${number(settings.cookies)} random cookies; every response was checked for the user of its cookie. After ${settings.reads.firstWarm / 1000} s of warm-up each, ${settings.reads.rounds} rounds of ${settings.reads.measure / 1000} s, every subject once a round in random order. Ratios are medians of the ratios within a round, with the least and the greatest in brackets.`,
    `Other processes took ${percent(foreign.median)} of the server's core in the median measurement (${percent(foreign.min)} to ${percent(foreign.max)}); the load of the machine at the start was ${machine.loadAtStart.toFixed(2)}. Read ratios and CPU for a read, not reads a second.`,
    `Postgres ran with ${Object.entries(postgres.settings)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}. Versions: ${packages}.`,
  ].join('\n\n')
}

const READ_NOTES = `CPU is time of the process and its threads, and of Postgres with all its backends, divided by the
reads. SQL per read counts transactions. † The server's core was not busy all the time: the other core
or another process was the limit, and on a larger machine the ratio would be higher. This service logs a line for
each request and sends security headers; the others do neither. The hand-written servers show
the cost of a handler that does nothing else: the rows with one SQL query check an HMAC and read one row by its primary key. better-auth has its rate limiter
off, and express-session is shown with its default, a write for each read, and without.`

const SIGN_IN_NOTES = `One sign-in is the start, the approval at a local provider that approves at once, and the callback. The
floor keeps its transaction in a cookie and writes one row. This service keeps its transaction on the server,
counts the request against its limits, looks up the user, writes the session, the provider's tokens and two
audit events, and redirects.`

function readTable(rows) {
  return table(
    [
      'what',
      '× node:http',
      '× Express',
      'p50 ms',
      'p99 ms',
      'server CPU µs',
      'CPU of node:http / its CPU',
      'Postgres CPU µs',
      'SQL per read',
      'RSS MiB',
      'reads/s',
      'wrong',
    ],
    rows.map((row) => [
      `${bold(row, row.label)}${row.saturated ? '' : ' †'}`,
      spreadText(row.toF1),
      spreadText(row.toF2),
      digits(row.p50),
      digits(row.p99),
      digits(row.serverCpuUs),
      digits(row.cpuToF1?.median),
      row.usesDatabase ? digits(row.postgresCpuUs) : '-',
      row.usesDatabase ? digits(row.statements) : '0',
      mebibytes(row.residentBytes),
      number(Math.round(row.perSecond.median)),
      row.wrong + row.errors === 0 ? '0' : `**${row.wrong + row.errors}**`,
    ]),
  )
}

const GUARDED_NOTES = `One route of an Express 5 app that returns the id of its user, 16 connections. The second column adds the CPU of
the authentication service and of Postgres. The last one is how long a revoked session is still accepted.`

export function guardedTable(rows) {
  return table(
    [
      'a guarded request',
      'API CPU µs',
      'with service and Postgres µs',
      'accepted after revocation',
    ],
    rows.map((row) => [
      bold(row, row.label),
      spreadText(row.apiCpuUs),
      spreadText(row.totalCpuUs),
      staleness(row.staleSeconds),
    ]),
  )
}

const staleness = (seconds) => {
  // Infinity is null in stored results.
  if (!Number.isFinite(seconds)) return 'until the cookie expires'
  return seconds === 0 ? 'not at all' : `at most ${seconds} s`
}

function signInTable(rows) {
  return table(
    [
      'what',
      '× floor',
      'sign-ins/s',
      'server CPU ms',
      'floor’s CPU / its CPU',
      'Postgres CPU ms',
      'RSS MiB',
      'wrong',
    ],
    rows.map((row) => [
      bold({ ours: row.id === 'sign-in' }, row.label),
      spreadText(row.toFloor),
      number(Math.round(row.perSecond.median)),
      digits(row.serverCpuMs),
      spreadText(row.cpuToFloor),
      digits(row.postgresCpuMs),
      mebibytes(row.residentBytes),
      row.wrong === 0 ? '0' : `**${row.wrong}**`,
    ]),
  )
}

function growthTable(rows) {
  return table(
    ['what', 'reads/s', 'server CPU', 'Postgres CPU', 'wrong'],
    rows.map((row) => [
      row.label,
      ...[row.perSecond, row.serverCpu, row.postgresCpu].map((one) => `× ${spreadText(one)}`),
      String(row.wrong),
    ]),
  )
}

function startTable(starts, reads, coldSignIn) {
  const loaded = (id) => reads.find((row) => row.id === id)?.residentBytes
  return table(
    ['what', 'value'],
    [
      ['start to ready on an existing database, ms', spreadText(starts.ms)],
      ['the first sign-in of a process, CPU ms', digits(coldSignIn.cpuMs)],
      ['RSS when ready, MiB', mebibytes(starts.residentBytes)],
      ['RSS under load, MiB', mebibytes(loaded('session'))],
      [
        'RSS under load, times that of Express 5 with one SQL query',
        digits(loaded('session') / loaded('f2')),
      ],
    ],
  )
}

const bold = ({ ours }, text) => (ours ? `**${text}**` : text)
const percent = (share) => `${Math.round(share * 100)} %`
const number = (value) => value.toLocaleString('en-US')
const mebibytes = (bytes) => (Number.isFinite(bytes) ? String(Math.round(bytes / 2 ** 20)) : '-')
const spreadText = (one) =>
  one ? `${digits(one.median)} (${digits(one.min)}-${digits(one.max)})` : '-'

/** Two or three significant digits. */
export function digits(value) {
  if (!Number.isFinite(value)) return '-'
  if (Math.abs(value) >= 100) return String(Math.round(value))
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)
}

export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, n) => (n === 0 ? '---' : '---:'))), ...rows.map(line)].join(
    '\n',
  )
}
