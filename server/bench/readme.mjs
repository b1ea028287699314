import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { format, resolveConfig } from 'prettier'
import { digits, guardedTable, table } from './report.mjs'

/** `node readme.mjs`: writes the last run's numbers and chart into the Performance guide. */
const here = (path) => new URL(path, import.meta.url)
const GUIDE = here('../PERFORMANCE.md')
const BLOCK = /(<!-- benchmark -->)[\s\S]*?(<!-- \/benchmark -->)/
const SECONDS_A_DAY = 86_400
/** Interval in seconds at which an open application checks the session. */
const ASKS_EVERY = 60

const results = JSON.parse(await readFile(here('results/measurements.json'), 'utf8'))
const { machine, settings, postgres, reads, signIns, growth, bytesPerSession } = results

const round = (value) => Number(value.toPrecision(2)).toLocaleString('en-US')
const session = reads.find(({ id }) => id === 'session')
const signIn = signIns.find(({ id }) => id === 'sign-in')
const grown = growth?.find(({ id }) => id === 'session')
const perCore = 1e6 / session.serverCpuUs
const perPostgresCore = 1e6 / session.postgresCpuUs
const signInsPerCore = 1e3 / signIn.serverCpuMs

const rows = reads.map((row) => [
  row.ours ? `**${row.label}**` : row.label,
  digits(row.toF1.median),
  digits(row.toF2.median),
  digits(row.serverCpuUs),
  row.usesDatabase ? digits(row.postgresCpuUs) : '-',
  row.usesDatabase ? digits(row.statements) : '0',
])

const text = `
${table(['reading a session', '× node:http', '× Express', 'CPU µs', 'Postgres CPU µs', 'statements'], rows)}

Rows with "a constant" or "one SQL query" are hand-written servers. "One SQL query" checks the HMAC of the cookie and
reads one row by a prepared SELECT; "a constant answer" is the ceiling of node:http and of Express. "× node:http"
and "× Express" are reads a second, as multiples of that server with one SQL query.
${settings.reads.connections} connections, ${settings.sessions.toLocaleString('en-US')} sessions, one core for each server, every answer checked;
the ratios are medians within a round. \`npm run bench${settings.mode === 'quick' ? ':quick' : ''}\` on ${machine.date.slice(0, 10)}: ${machine.cpu}, Node ${machine.node},
${postgres.version}; other work took ${Math.round(results.foreign.median * 100)} % of the core.

${guardedTable(results.guarded)}

A guarded request is one route of an Express 5 app that returns the id of its user; the second column adds the CPU of
the authentication service and of Postgres. The last one is how long a revoked session is still accepted.

What follows from it, for one core of that machine at full load:

- It answers 1,000,000 µs / ${digits(session.serverCpuUs)} µs = **${round(perCore)} reads a second**. If every user asks once in ${ASKS_EVERY} s, that
  is ${round(perCore)} × ${ASKS_EVERY} = ${round(perCore * ASKS_EVERY)} users with the application open.
- One core of Postgres serves 1,000,000 µs / ${digits(session.postgresCpuUs)} µs = **${round(perPostgresCore)} reads a second**, that is
  ${digits(perPostgresCore / perCore)} cores of this service.
- It signs in 1,000 ms / ${digits(signIn.serverCpuMs)} ms = **${round(signInsPerCore)} users a second**, ${round(signInsPerCore * SECONDS_A_DAY)} a day.
- A session takes ${round(bytesPerSession)} bytes in Postgres with its indexes: 10,000,000 of them ${digits((bytesPerSession * 1e7) / 2 ** 30)} GiB.${
  grown
    ? ` From
  ${settings.growth.from.toLocaleString('en-US')} to ${settings.growth.to.toLocaleString('en-US')} sessions reads a second change by × ${digits(grown.perSecond.median)}, and the CPU of Postgres by × ${digits(grown.postgresCpu.median)}.`
    : ''
}
`
const guide = (await readFile(GUIDE, 'utf8')).replace(BLOCK, `$1\n${text}\n$2`)
const options = await resolveConfig(GUIDE)
await writeFile(GUIDE, await format(guide, { ...options, parser: 'markdown' }))
await copyFile(here('results/latest.svg'), here('reads.svg'))
