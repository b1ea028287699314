import { subjectById } from './subjects/index.mjs'

/** One subject in a process of its own: `node serve.mjs <id>` with BENCH_* in the environment. */
const {
  BENCH_DATABASE_URL: databaseUrl,
  BENCH_PORT,
  BENCH_ISSUER: issuer,
  BENCH_SERVICE: service,
} = process.env
const port = Number(BENCH_PORT)
const server = await subjectById(process.argv[2]).serve({ databaseUrl, port, issuer, service })
// Keep connections open between rounds, like those of a proxy.
server.keepAliveTimeout = 120_000
server.listen(port, '127.0.0.1')
