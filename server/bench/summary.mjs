import { median, spread } from './statistics.mjs'

/** Below this share of its core, a server mostly waited for the other core. */
const SATURATED = 0.85

const medianOf = (rounds, field) => median(rounds.map((round) => round[field]))

/** Per-round ratios of one subject to another. */
function ratios(results, id, baseId, field) {
  const base = new Map((results.get(baseId) ?? []).map((round) => [round.round, round[field]]))
  return spread((results.get(id) ?? []).map((round) => round[field] / base.get(round.round)))
}

/** One row for each reader. */
export function summarizeReads(subjects, results, statements = new Map()) {
  return subjects
    .filter(({ id }) => results.has(id))
    .map((subject) => {
      const rounds = results.get(subject.id)
      const sum = (field) => rounds.reduce((total, round) => total + round[field], 0)
      return {
        id: subject.id,
        label: subject.label,
        short: subject.short,
        ours: subject.ours ?? false,
        usesDatabase: subject.database !== undefined,
        perSecond: spread(rounds.map(({ perSecond }) => perSecond)),
        toF1: ratios(results, subject.id, 'f1', 'perSecond'),
        toF2: ratios(results, subject.id, 'f2', 'perSecond'),
        cpuToF1: invert(ratios(results, subject.id, 'f1', 'serverCpuUs')),
        cpuToF2: invert(ratios(results, subject.id, 'f2', 'serverCpuUs')),
        p99ToF2: ratios(results, subject.id, 'f2', 'p99'),
        p50: medianOf(rounds, 'p50'),
        p99: medianOf(rounds, 'p99'),
        serverCpuUs: medianOf(rounds, 'serverCpuUs'),
        postgresCpuUs: medianOf(rounds, 'postgresCpuUs'),
        statements: statements.get(subject.id),
        residentBytes: rounds.at(-1)?.residentBytes,
        serverBusy: medianOf(rounds, 'serverBusy'),
        saturated: medianOf(rounds, 'serverBusy') >= SATURATED,
        answered: sum('answered'),
        wrong: sum('wrong'),
        errors: sum('errors'),
        firstWrong: rounds.find(({ firstWrong }) => firstWrong)?.firstWrong,
      }
    })
}

/** A ratio of costs as a ratio of speeds. */
function invert(ratio) {
  return ratio && { median: 1 / ratio.median, min: 1 / ratio.max, max: 1 / ratio.min }
}

/** One row per sign-in subject. */
export function summarizeSignIns(subjects, results) {
  const [floor] = subjects
  return subjects.map((subject) => {
    const rounds = results.get(subject.id)
    return {
      id: subject.id,
      label: subject.label,
      perSecond: spread(rounds.map(({ perSecond }) => perSecond)),
      toFloor: ratios(results, subject.id, floor.id, 'perSecond'),
      cpuToFloor: invert(ratios(results, subject.id, floor.id, 'serverCpuUs')),
      serverCpuMs: medianOf(rounds, 'serverCpuUs') / 1000,
      postgresCpuMs: medianOf(rounds, 'postgresCpuUs') / 1000,
      serverBusy: medianOf(rounds, 'serverBusy'),
      residentBytes: rounds.at(-1)?.residentBytes,
      completed: rounds.reduce((total, { completed }) => total + completed, 0),
      wrong: rounds.reduce((total, { wrong }) => total + wrong, 0),
      firstWrong: rounds.find(({ firstWrong }) => firstWrong)?.firstWrong,
    }
  })
}

/** Cost of a hundred times as many sessions, per subject. */
export function summarizeGrowth(subjects, results, { from, to }) {
  return subjects.map(({ id, label }) => {
    const [small, large] = [`${id}-${from}`, `${id}-${to}`]
    return {
      id,
      label,
      perSecond: ratios(results, large, small, 'perSecond'),
      serverCpu: ratios(results, large, small, 'serverCpuUs'),
      postgresCpu: ratios(results, large, small, 'postgresCpuUs'),
      wrong: [small, large].reduce(
        (total, one) => total + results.get(one).reduce((sum, { wrong }) => sum + wrong, 0),
        0,
      ),
    }
  })
}

/** Statements per successful read between two counts, with all that was measured in between. */
export function statementsPerRead(before, after, ...measured) {
  const perRead = new Map()
  for (const [id, count] of after) {
    const rounds = measured.flatMap(({ results, warmUps }) => [
      warmUps.get(id),
      ...(results.get(id) ?? []),
    ])
    const answered = rounds.filter(Boolean).reduce((total, round) => total + round.answered, 0)
    perRead.set(id, (count - before.get(id)) / answered)
  }
  return perRead
}

/** Share of the server's core used by processes outside the benchmark. */
export function foreignLoad(...resultMaps) {
  const shares = resultMaps
    .flatMap((results) => [...results.values()].flat())
    .map(({ coresBusy, serverBusy }) => Math.max(0, coresBusy[0] - serverBusy))
  return spread(shares)
}
