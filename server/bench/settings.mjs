/** Every duration is in milliseconds. `deadline` ends a run that hangs. */
const SETTINGS = {
  quick: {
    sessions: 10_000,
    cookies: 2_000,
    reads: { connections: 64, rounds: 2, warm: 400, measure: 1_200 },
    otherConnections: [16, 256],
    others: { rounds: 2, warm: 300, measure: 900, only: ['f1', 'f2', 'session', 'route'] },
    signIns: { connections: 16, rounds: 2, warm: 800, measure: 1_800 },
    starts: 3,
    growth: undefined,
    deadline: 5 * 60_000,
  },
  full: {
    sessions: 100_000,
    cookies: 2_000,
    reads: { connections: 64, rounds: 9, warm: 1_000, measure: 3_000 },
    otherConnections: [16, 256],
    others: { rounds: 5, warm: 700, measure: 2_500 },
    signIns: { connections: 16, rounds: 7, warm: 1_500, measure: 5_000 },
    starts: 9,
    growth: {
      from: 10_000,
      to: 1_000_000,
      connections: 64,
      rounds: 9,
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
