import { styleText } from 'node:util'
import type { AuthConfig } from '../../config/auth-config.js'
import { WIDTH, wrap } from '../terminal.js'

/** One finding of the doctor. */
export interface Finding {
  /** `warn`: sign-in works, but not for every user or not for long. `fail`: sign-in does not work. */
  readonly status: 'ok' | 'warn' | 'fail'
  /** Stable, for scripts, such as `CLOCK_PROVIDER`. */
  readonly code: string
  /** One readable sentence. Contains no secret. */
  readonly message: string
  /** What to do; absent when nothing is wrong. */
  readonly fix?: string
}

/** Input of every check. */
export interface Examination {
  readonly env: NodeJS.ProcessEnv
  /** The configuration as far as it could be read. */
  readonly config: AuthConfig
  readonly problems: readonly Error[]
}

/** A check: bounded in time, and changes nothing. */
export type Check = (examination: Examination) => Finding[] | Promise<Finding[]>

/** Timeout of one request of a check. */
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

/** A failure from an error message that states the problem first and then the fix. */
export function failWith(code: string, text: string): Finding {
  return fail(code, ...problemAndFix(text))
}

/** Like {@link failWith}, as a warning. */
export function warnWith(code: string, text: string): Finding {
  return warn(code, ...problemAndFix(text))
}

function problemAndFix(text: string): [problem: string, fix: string] {
  const [, problem = text, fix = 'Correct it.'] = /^(.+?[.)]) (?=[A-Z])(.+)$/s.exec(text) ?? []
  return [problem, fix]
}

const COLORS = { ok: 'green', warn: 'yellow', fail: 'red' } as const

/** Formats the findings as text, at most 80 columns wide. */
export function report(findings: readonly Finding[]): string {
  const indent = 6
  const blocks = findings.map(({ status, code, message, fix }) => {
    const label = styleText(COLORS[status], status.padEnd(indent), { stream: process.stdout })
    const text = fix === undefined ? `${code}: ${message}` : `${code}: ${message}\nFix: ${fix}`
    return label + indented(printable(text), indent)
  })
  const count = (wanted: Finding['status']): number =>
    findings.filter(({ status }) => status === wanted).length
  const summary = `${count('fail')} failed, ${count('warn')} to look at, ${count('ok')} ok`
  return [...blocks, '', summary].join('\n')
}

function indented(text: string, indent: number): string {
  const lines = wrap(text, WIDTH - indent).split('\n')
  return lines.join(`\n${' '.repeat(indent)}`)
}

/** Removes control characters from provider text, so that it cannot control the terminal. */
function printable(text: string): string {
  return text.replace(/[^\P{C}\n]/gu, '?')
}
