/**
 * Every duration is in milliseconds. `firstWarm` precedes the rounds once, for the compiler; `warm`
 * precedes each measurement. `deadline` ends a run that hangs.
 */
const SETTINGS = {
  quick: {
    sessions: 10_000,
    cookies: 2_000,
    reads: { connections: 64, rounds: 3, firstWarm: 1_200, warm: 200, measure: 600 },
    paired: { rounds: 7, firstWarm: 0, warm: 200, measure: 1_500 },
    otherConnections: [16, 256],
    others: {
      rounds: 3,
      firstWarm: 0,
      warm: 200,
      measure: 500,
      only: ['f1', 'f2', 'session', 'route'],
    },
    guarded: { rounds: 3, firstWarm: 1_000, warm: 200, measure: 600 },
    signIns: { connections: 16, rounds: 3, firstWarm: 3_000, warm: 200, measure: 1_200 },
    starts: 3,
    growth: undefined,
    deadline: 5 * 60_000,
  },
  full: {
    sessions: 100_000,
    cookies: 2_000,
    reads: { connections: 64, rounds: 9, firstWarm: 5_000, warm: 500, measure: 2_000 },
    paired: { rounds: 15, firstWarm: 0, warm: 500, measure: 3_000 },
    otherConnections: [16, 256],
    others: {
      rounds: 7,
      firstWarm: 0,
      warm: 500,
      measure: 1_500,
      only: ['f1', 'f2', 'session', 'route'],
    },
    guarded: { rounds: 7, firstWarm: 5_000, warm: 500, measure: 1_500 },
    signIns: { connections: 16, rounds: 7, firstWarm: 20_000, warm: 500, measure: 3_000 },
    starts: 5,
    growth: {
      from: 10_000,
      to: 1_000_000,
      connections: 64,
      rounds: 5,
      warm: 1_000,
      measure: 3_000,
    },
    deadline: 60 * 60_000,
  },
}

/** The settings of `quick` or `full`. */
export function settingsOf(mode) {
  const settings = SETTINGS[mode]
  if (!settings) throw new Error(`Say quick or full, not ${mode}.`)
  return { mode, ...settings }
}
