import { createDatabases, startReaders } from './prepare.mjs'
import { startSubject } from './processes.mjs'
import { measureReadRounds } from './reads.mjs'
import { spread } from './statistics.mjs'
import { guarded } from './subjects/index.mjs'

/** Connections; the API, the service and the generator share two cores. */
const CONNECTIONS = 16
/** Tokens are requested one by one before the rounds. */
const COOKIES = 200

/**
 * The CPU of a request to a guarded route, in the API and in what it asks. `staleSeconds` is how long a
 * guard accepts a session that was revoked.
 */
export async function measureGuarded({ databases, settings, directory, cleanUp, ...rest }) {
  const { routes, service } = guarded
  const count = settings.sessions
  await createDatabases(databases, [service, ...routes], count, rest.onProgress)
  const running = await startSubject(service, {
    directory,
    databaseUrl: databases.urlOf(service.id),
  })
  cleanUp(() => running.stop())
  const servers = await startReaders({
    subjects: routes,
    settings: { ...settings, cookies: COOKIES },
    service: { url: `http://127.0.0.1:${running.port}`, pid: running.pid },
    ...{ databases, count, directory, cleanUp },
  })
  const { results } = await measureReadRounds({
    servers,
    databases,
    plan: settings.guarded,
    connections: CONNECTIONS,
    ...rest,
  })
  for (const server of [...servers, running]) await server.stop()
  return routes.map(({ id, label, staleSeconds, ours = false }) => {
    const rounds = results.get(id)
    const totals = rounds.map(
      (round) => round.serverCpuUs + round.serviceCpuUs + round.postgresCpuUs,
    )
    const sum = (field) => rounds.reduce((total, round) => total + round[field], 0)
    return {
      ...{ id, label, staleSeconds, ours },
      apiCpuUs: spread(rounds.map((round) => round.serverCpuUs)),
      totalCpuUs: spread(totals),
      wrong: sum('wrong'),
      errors: sum('errors'),
      firstWrong: rounds.find(({ firstWrong }) => firstWrong)?.firstWrong,
    }
  })
}
