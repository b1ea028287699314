import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Mutation testing of what the service's safety hangs on: cookies, return targets, token crypto,
 * transactions, and who may post. `npx stryker run` breaks the code in every way it knows; a change
 * that no test of the same file's `*.test.ts` notices survives. Survivors are explained in
 * stryker.survivors.md.
 *
 * @type {import('@stryker-mutator/api/core').PartialStrykerOptions}
 */
export default {
  mutate: [
    'contract/form.ts',
    'backends/cookie.ts',
    'backends/keyring.ts',
    'backends/request.ts',
    'backends/session-token.ts',
    'backends/kv-oauth/change-session.ts',
    'backends/kv-oauth/transaction.ts',
    'backends/kv-oauth/storage/coalesced-reads.ts',
    'backends/return-to.ts',
    'server/engine/body.ts',
    'server/engine/cross-origin.ts',
    'server/engine/problem.ts',
  ],
  thresholds: { high: 95, low: 90, break: 90 },
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.stryker.config.mjs' },
  concurrency: 2,
  // Outside the repository, or a test run meanwhile would find the tests of the copy.
  tempDirName: join(tmpdir(), 'netscript-auth-stryker'),
  ignorePatterns: ['dist', 'coverage', '.data'],
  reporters: ['clear-text', 'progress', 'json'],
  clearTextReporter: { reportTests: false },
  jsonReporter: { fileName: 'coverage/mutation.json' },
}
