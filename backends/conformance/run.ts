import { type AuthBackendChecks, CheckSkipped } from './scene.js'
import { ACCOUNT_CHECKS, PROVIDER_TOKEN_CHECKS, SELF_SERVICE_CHECKS } from './checks/accounts.js'
import { ANONYMOUS_CHECKS } from './checks/anonymous.js'
import { CAPABILITY_CHECKS, PART_CHECKS } from './checks/capabilities.js'
import { CREDENTIAL_CHECKS } from './checks/credentials.js'
import { IDENTITY_CHECKS } from './checks/identity.js'
import { INTERACTIVE_CHECKS } from './checks/interactive.js'
import { OUTAGE_CHECKS } from './checks/outage.js'
import { ROLE_CHECKS } from './checks/roles.js'
import { SECRECY_CHECKS } from './checks/secrecy.js'
import { SESSION_CHECKS } from './checks/sessions.js'
import { SIGN_OUT_CHECKS } from './checks/sign-out.js'
import { STEP_UP_CHECKS } from './checks/step-up.js'
import type { AuthBackendHarness } from './harness.js'
import { withinTime } from '../within-time.js'

/** All checks, in the order in which they run. */
const CHECKS: AuthBackendChecks = {
  ...CAPABILITY_CHECKS,
  ...ANONYMOUS_CHECKS,
  ...IDENTITY_CHECKS,
  ...CREDENTIAL_CHECKS,
  ...SIGN_OUT_CHECKS,
  ...SESSION_CHECKS,
  ...INTERACTIVE_CHECKS,
  ...STEP_UP_CHECKS,
  ...ACCOUNT_CHECKS,
  ...PROVIDER_TOKEN_CHECKS,
  ...ROLE_CHECKS,
  ...SELF_SERVICE_CHECKS,
  ...OUTAGE_CHECKS,
  ...SECRECY_CHECKS,
  ...PART_CHECKS,
}

export const AUTH_BACKEND_CHECKS = Object.entries(CHECKS).map(([id, check]) => ({ id, ...check }))

/** The result of a check. */
export interface AuthBackendCheckResult {
  /** The id of the check. */
  readonly check: string
  /** Whether the backend passed. True for a skipped check. */
  readonly ok: boolean
  /** Why the check failed; absent when it passed. */
  readonly error?: Error
  /** Why the check was skipped; absent when it ran. */
  readonly skipped?: string
}

/** The functions of a test runner that the suite uses. */
export interface TestRunner {
  /** Groups tests. */
  readonly describe: (name: string, body: () => void) => unknown
  /** Declares a test. */
  readonly it: (name: string, body: () => Promise<void>) => unknown
}

/** Options of {@link checkAuthBackend} and {@link runAuthBackendConformance}. */
export interface AuthBackendCheckOptions {
  /** Time limit of one check, in milliseconds. A backend that hangs fails. @default 30000 */
  readonly limitMs?: number
}

const LIMIT_MS = 30_000

/**
 * Checks a backend without a test runner. The checks run one after another, each with a new backend,
 * which is closed afterwards.
 *
 * @param options.only The ids of the checks to run. @default all
 *
 * @throws TypeError for an unknown id in `only`.
 *
 * @example
 * ```ts
 * const results = await checkAuthBackend(harness)
 * const failed = results.filter(({ ok }) => !ok)
 * ```
 */
export async function checkAuthBackend(
  harness: AuthBackendHarness,
  options: AuthBackendCheckOptions & { only?: readonly string[] } = {},
): Promise<readonly AuthBackendCheckResult[]> {
  const ids = AUTH_BACKEND_CHECKS.map(({ id }) => id)
  const unknown = options.only?.find((id) => !ids.includes(id))
  if (unknown !== undefined) throw new TypeError(`There is no check ${unknown}.`)
  const results: AuthBackendCheckResult[] = []
  for (const check of AUTH_BACKEND_CHECKS) {
    if (options.only && !options.only.includes(check.id)) continue
    results.push(await runCheck(harness, check, options))
  }
  return results
}

/**
 * Declares a test for each check with `describe` and `it` of Vitest, Jest, Mocha or node:test. Checks
 * that do not apply are reported as skipped, with the reason. Jest cannot skip a running test and
 * reports them as passed.
 *
 * @example
 * ```ts
 * import { describe, it } from 'vitest'
 *
 * runAuthBackendConformance(harness, { describe, it })
 * ```
 */
export function runAuthBackendConformance(
  harness: AuthBackendHarness,
  { describe, it }: TestRunner,
  options: AuthBackendCheckOptions = {},
): void {
  describe(`AuthBackendPort: ${harness.name}`, () => {
    for (const check of AUTH_BACKEND_CHECKS) {
      // Rest parameter: with a named one, Mocha and Jest would wait for a `done` callback.
      it(`${check.id}: ${check.title}`, async function (this: unknown, ...given: unknown[]) {
        const { error, skipped } = await runCheck(harness, check, options)
        if (error) throw error
        if (skipped !== undefined) reportSkipped([given[0], this], skipped)
      })
    }
  })
}

/** Vitest and node:test pass a context as an argument; Mocha binds it to `this`. */
function reportSkipped(contexts: readonly unknown[], reason: string): void {
  for (const context of contexts) {
    const skip: unknown = (context as { skip?: unknown } | null | undefined)?.skip
    if (typeof skip === 'function') return void skip.call(context, reason)
  }
}

async function runCheck(
  harness: AuthBackendHarness,
  check: (typeof AUTH_BACKEND_CHECKS)[number],
  { limitMs = LIMIT_MS }: AuthBackendCheckOptions,
): Promise<AuthBackendCheckResult> {
  try {
    await withinTime('The backend', limitMs, runWithNew(harness, check))
    return { check: check.id, ok: true }
  } catch (error) {
    if (error instanceof CheckSkipped) return { check: check.id, ok: true, skipped: error.message }
    return {
      check: check.id,
      ok: false,
      error: error instanceof Error ? error : new Error(String(error)),
    }
  }
}

async function runWithNew(
  harness: AuthBackendHarness,
  check: (typeof AUTH_BACKEND_CHECKS)[number],
): Promise<void> {
  const backend = await harness.create()
  try {
    await check.run({ harness, backend })
  } finally {
    // `close-can-be-repeated` checks this.
    await backend.close().catch(() => undefined)
  }
}
