/**
 * Performance goals, as ratios within one run: one object per figure. A run reports them and never fails.
 * The first one compares CPU times in paired windows, which other work on the machine disturbs least.
 */
export function goals({
  paired,
  reads,
  signIns,
  statementsPerSignIn,
  coldSignIn,
  growth,
  ...rest
}) {
  const { starts, testingKit, guarded } = rest
  const of = (rows, id) => rows.find((row) => row.id === id)
  const session = of(reads, 'session')
  const me = of(reads, 'me')
  const versus = (id) => ({
    median: session.perSecond.median / of(reads, id).perSecond.median,
  })
  const grown = growth && of(growth, 'session')
  const signIn = of(signIns, 'sign-in')
  const perSecond = ({ perSecond }) => perSecond.median
  const openIdConnect = of(signIns, 'sign-in-express-openid-connect')
  const only = (median) => ({ median })
  const guardedRatio = (peer, id) =>
    only(of(guarded, peer).totalCpuUs.median / of(guarded, id).totalCpuUs.median)
  const list = [
    [
      'me-cpu-to-node',
      'GET /me, CPU of bare node:http with one SQL query / its CPU, paired',
      of(paired, 'me').cpuToF1,
      '>=',
      1.4,
    ],
    [
      'session-cpu-to-node',
      'GET /session, CPU of bare node:http with one SQL query / its CPU, paired',
      of(paired, 'session').cpuToF1,
      '>=',
      1.4,
    ],
    [
      'me-to-node',
      'GET /me, reads a second, times bare node:http with one SQL query',
      me.toF1,
      '>=',
      1.4,
    ],
    [
      'me-to-constant',
      'GET /me, reads a second, times bare node:http with a constant',
      only(perSecond(me) / perSecond(of(reads, 'f0'))),
      '>=',
      0.4,
    ],
    [
      'session-postgres-cpu',
      'GET /session, Postgres CPU for a read, us',
      only(session.postgresCpuUs),
      '<=',
      12,
    ],
    ['session-to-better-auth', 'GET /session, times better-auth', versus('better-auth'), '>=', 10],
    [
      'session-to-auth-js',
      'GET /session, times Auth.js with an index',
      versus('auth-js-indexed'),
      '>=',
      4,
    ],
    [
      'session-to-express-session',
      'GET /session, times express-session with touch off',
      versus('express-session'),
      '>=',
      3,
    ],
    [
      'session-p99',
      'GET /session, p99 times that of Express 5 with one SQL query',
      session.p99ToF2,
      '<=',
      0.7,
    ],
    [
      'sign-in-to-floor',
      'sign-ins a second, times openid-client and one INSERT',
      signIn.toFloor,
      '>=',
      0.6,
    ],
    [
      'sign-in-cpu-to-floor',
      'CPU of openid-client and one INSERT / CPU of a sign-in',
      signIn.cpuToFloor,
      '>=',
      0.6,
    ],
    [
      'sign-in-to-openid-connect',
      'sign-ins a second, times express-openid-connect',
      only(perSecond(signIn) / perSecond(openIdConnect)),
      '>=',
      1,
    ],
    [
      'sign-in-statements',
      'statements of a sign-in of a returning user',
      only(statementsPerSignIn),
      '<=',
      3,
    ],
    [
      'sign-in-cold',
      'the first sign-in of a process, times the CPU of a warm one',
      only(coldSignIn.cpuMs / signIn.serverCpuMs),
      '<=',
      5,
    ],
    [
      'guard-cache-to-better-auth',
      "a guarded request with a cache of 5 s, CPU of better-auth's cookie cache / its CPU",
      guardedRatio('better-auth-cookie-cache', 'guard-cache'),
      '>=',
      1,
    ],
    [
      'guard-token-to-openid-connect',
      'a guarded request with a token, CPU of express-openid-connect / its CPU',
      guardedRatio('express-openid-connect-guard', 'guard-token'),
      '>=',
      1,
    ],
    [
      'guard-asks-to-better-auth',
      "a guarded request that asks each time, CPU of better-auth's cookie cache / its CPU",
      guardedRatio('better-auth-cookie-cache', 'guard-asks'),
      '>=',
      1,
    ],
    [
      'growth-throughput',
      '1,000,000 sessions: reads a second, times those at 10,000',
      grown?.perSecond,
      '>=',
      0.95,
    ],
    [
      'growth-postgres-cpu',
      '1,000,000 sessions: Postgres CPU, times that at 10,000',
      grown?.postgresCpu,
      '<=',
      1.3,
    ],
    ['start', 'start to ready on an existing database, ms', only(starts.medianMs), '<=', 1000],
    [
      'testing-kit',
      'a signed-in test with the testing kit, CPU ms',
      only(testingKit.testCpuMs),
      '<=',
      5,
    ],
    [
      'memory',
      'memory under load, times that of Express 5 with one SQL query',
      only(session.residentBytes / of(reads, 'f2').residentBytes),
      '<=',
      1.3,
    ],
  ]
  return list
    .filter(([, , value]) => Number.isFinite(value?.median))
    .map(([id, what, { median: value, min, max }, relation, goal]) => ({
      id,
      what,
      value,
      ...(min !== undefined && { min, max }),
      goal: `${relation} ${goal}`,
      met: relation === '>=' ? value >= goal : value <= goal,
    }))
}
