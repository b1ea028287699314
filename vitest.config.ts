import { availableParallelism } from 'node:os'
import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'
import type { Reporter } from 'vitest/node'

/** Packages resolve each other to their sources, never to a stale dist. */
const SOURCE = '@netscript/source'

/** `module` is for bundlers: Node cannot load what some packages, OpenTelemetry's among them, have there. */
const conditions = [SOURCE, ...defaultServerConditions.filter((name) => name !== 'module')]

/** The last line of a run, for the terminal and CI. */
const closingLine: Reporter = {
  onTestRunEnd(modules) {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const count = (state: string): number =>
      tests.filter((test) => test.result().state === state).length
    const broken = modules.filter((module) => module.state() === 'failed').length
    const failed = count('failed') || broken
    process.on('exit', () => {
      console.log(`${count('passed')} passed, ${failed} failed, ${count('skipped')} skipped`)
    })
  },
}

/** What `npm run test:slow` runs and `npm test` leaves out: attacks, faults, packages and commands as users run them. */
const SLOW = [
  'server/e2e/attack/**/*.test.ts',
  'server/e2e/faults/**/*.test.ts',
  'server/e2e/{consumer,container,first-sign-in,getting-started,install,package,second-client,testing-kit,tutorial,upgrade}.test.ts',
  'server/e2e/{browser,documents,forward-auth,layout,example,foreign-providers,guard-guide,hosts,react}.test.ts',
  'server/e2e/{anonymous-writes,audit-retention,database-start,operator,own-pool}.test.ts',
  'server/e2e/{postgres-guide,provider-lockout,schemas-and-poolers,session-limit}.test.ts',
  'server/cli/db/**/*.test.ts',
  'server/cli/{output-width,plugin/add,plugin/remove}.test.ts',
  'server/e2e/{configure,lazy-backends,process}.test.ts',
  'server/local/postgres.test.ts',
  'server/pages/assets.test.ts',
  'server/{api-docs,deploy/compose}.test.ts',
  'backends/kv-oauth/storage/{postgres-stores,redis-cluster,redis-connection,redis-guide}.test.ts',
  'openapi/compatibility/**/*.test.ts',
]

export default defineConfig(({ mode }) => ({
  ssr: { resolve: { conditions } },
  resolve: { conditions },
  test: {
    include: mode === 'slow' ? SLOW : ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', ...(mode === 'test' ? SLOW : [])],
    globalSetup: ['server/e2e/support/global-setup.ts'],
    // Most of them wait for other processes, so one more than there are cores.
    maxWorkers: availableParallelism() + 1,
    // Generous: a busy machine may be several times slower, and no test waits this long to pass.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    silent: 'passed-only',
    reporters: [['default', { summary: false }], closingLine],
  },
}))
