import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'
import stryker from './stryker.config.mjs'

/** The unit tests of the mutated files alone: no Postgres, so that a mutant costs a second. */
const conditions = [
  '@netscript/source',
  ...defaultServerConditions.filter((name) => name !== 'module'),
]

export default defineConfig({
  ssr: { resolve: { conditions } },
  test: { include: stryker.mutate.map((file) => file.replace(/\.ts$/, '.test.ts')) },
})
