import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe, expect, it } from 'vitest'

/** Includes the directories where Debian installs programs for administrators. */
export const PATH = [process.env.PATH, '/usr/sbin', '/usr/local/sbin'].join(delimiter)

/**
 * `describe` for tests that need programs. If one is missing, the tests are skipped with the reason; if
 * `CI` is true they fail, so that they cannot be skipped unnoticed.
 */
export function describeWithPrograms(
  ...programs: readonly string[]
): (name: string, tests: () => void) => void {
  const missing = `${programs.join(' or ')} is not installed. Install it to run these tests.`
  return (name, tests) => {
    if (programs.every(isInstalled)) {
      describe(name, tests)
    } else if (process.env.CI === 'true') {
      describe(name, () => {
        it(`finds ${programs.join(' and ')}`, () => expect.fail(missing))
      })
    } else {
      describe.skip(`${name} (${missing})`, tests)
    }
  }
}

function isInstalled(program: string): boolean {
  return PATH.split(delimiter).some((directory) => existsSync(join(directory, program)))
}
