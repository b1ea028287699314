import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'

const MISSING = 'redis-server and redis-cli are not on the PATH. Install them to run these tests.'

/**
 * `describe` for tests on a real redis-server. Without one they are skipped and say why; where `CI` is
 * true it fails, so that they cannot quietly be left out.
 */
export function describeWithRedis(name: string, tests: () => void): void {
  if (isInstalled()) {
    describe(name, tests)
  } else if (process.env.CI === 'true') {
    describe(name, () => {
      it('finds Redis', () => expect.fail(MISSING))
    })
  } else {
    describe.skip(`${name} (${MISSING})`, tests)
  }
}

function isInstalled(): boolean {
  try {
    for (const program of ['redis-server', 'redis-cli']) execFileSync(program, ['--version'])
    return true
  } catch {
    return false
  }
}
