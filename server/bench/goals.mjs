/** Performance goals as ratios within one run. A run reports them and never fails. */
export function goals({ reads, otherReads, signIns, growth, starts, testingKit }) {
  const at64 = (id) => reads.find((row) => row.id === id)
  const session = at64('session')
  const versus = (id) => session.perSecond.median / at64(id).perSecond.median
  const at16 = otherReads[16]?.find((row) => row.id === 'session')
  const grown = growth?.find((row) => row.id === 'session')
  const signIn = signIns.find((row) => row.id === 'sign-in')
  const list = [
    [
      'GET /session through Express, reads a second, times Express 5 with one SQL query',
      at64('route').toF2.median,
      '>=',
      1.8,
    ],
    [
      'GET /session through Express, reads a second, times bare node:http with one SQL query',
      at64('route').toF1.median,
      '>=',
      0.7,
    ],
    [
      'GET /session, reads a second, times bare node:http with one SQL query',
      session.toF1.median,
      '>=',
      2.2,
    ],
    ['GET /session, Postgres CPU for a read, us', session.postgresCpuUs, '<=', 12],
    ['GET /session, times better-auth', versus('better-auth'), '>=', 10],
    ['GET /session, times Auth.js with an index', versus('auth-js-indexed'), '>=', 4],
    ['GET /session, times express-session with touch off', versus('express-session'), '>=', 3],
    [
      'GET /session, p99 times that of Express 5 with one SQL query',
      session.p99ToF2.median,
      '<=',
      0.7,
    ],
    [
      'GET /session at 16 connections, times Express 5 with one SQL query',
      at16?.toF2.median,
      '>=',
      1,
    ],
    ['sign-ins a second, times the floor', signIn.toFloor.median, '>=', 0.85],
    [
      '1,000,000 sessions: reads a second, times those at 10,000',
      grown?.perSecond.median,
      '>=',
      0.95,
    ],
    [
      '1,000,000 sessions: Postgres CPU, times that at 10,000',
      grown?.postgresCpu.median,
      '<=',
      1.25,
    ],
    ['start to ready on an existing database, ms', starts.medianMs, '<=', 1000],
    ['a signed-in test with the testing kit, CPU ms', testingKit.testCpuMs, '<=', 5],
    [
      'memory under load, times that of Express 5 with one SQL query',
      session.residentBytes / at64('f2').residentBytes,
      '<=',
      1.15,
    ],
  ]
  return list
    .filter(([, value]) => Number.isFinite(value))
    .map(([what, value, relation, goal]) => ({
      what,
      value,
      goal: `${relation} ${goal}`,
      met: relation === '>=' ? value >= goal : value <= goal,
    }))
}
