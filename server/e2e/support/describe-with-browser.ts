import { describe, expect, it } from 'vitest'
import { findChromium, MISSING } from './browser.js'

/**
 * `describe` for tests in a browser. Without Chromium it says so and skips them; where `CI` is true
 * it fails, so that they cannot quietly be left out.
 */
export function describeWithBrowser(name: string, tests: () => void): void {
  if (findChromium() !== undefined) {
    describe(name, tests)
  } else if (process.env.CI === 'true') {
    describe(name, () => {
      it('finds a browser', () => expect.fail(MISSING))
    })
  } else {
    console.warn(`Skipped: ${name}. ${MISSING}`)
    describe.skip(name, tests)
  }
}
