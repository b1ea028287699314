import type { AuthConfig } from '../../config/auth-config.js'

/** What the doctor found out. */
export interface Finding {
  /** `warn`: it works, but not for everybody or not for long. `fail`: sign-in does not work. */
  readonly status: 'ok' | 'warn' | 'fail'
  /** Stable, for scripts, such as `CLOCK_PROVIDER`. */
  readonly code: string
  /** One readable sentence. Contains no secret. */
  readonly message: string
  /** What to do; absent when nothing is wrong. */
  readonly fix?: string
}

/** What every check may look at. */
export interface Examination {
  readonly env: NodeJS.ProcessEnv
  /** What could be read of the configuration. */
  readonly config: AuthConfig
  readonly problems: readonly Error[]
}

/** A check: bounded in time, and changes nothing. */
export type Check = (examination: Examination) => Finding[] | Promise<Finding[]>

/** How long one request of a check may take. */
export const CHECK_TIMEOUT_MS = 5_000

export function ok(code: string, message: string): Finding {
  return { status: 'ok', code, message }
}

export function warn(code: string, message: string, fix: string): Finding {
  return { status: 'warn', code, message, fix }
}

export function fail(code: string, message: string, fix: string): Finding {
  return { status: 'fail', code, message, fix }
}

/** A failure from one of our errors, whose message states the problem first and then the fix. */
export function failWith(code: string, text: string): Finding {
  return fail(code, ...problemAndFix(text))
}

/** The same for a warning. */
export function warnWith(code: string, text: string): Finding {
  return warn(code, ...problemAndFix(text))
}

function problemAndFix(text: string): [problem: string, fix: string] {
  const [, problem = text, fix = 'Correct it.'] = /^(.+?[.)]) (?=[A-Z])(.+)$/s.exec(text) ?? []
  return [problem, fix]
}
