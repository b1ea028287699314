import { defineConfig } from 'vitest/config'
import base from './vitest.config.js'

/** The fault suite, which `npm test` leaves out until the service keeps every promise in it. */
export default defineConfig({
  test: {
    ...base.test,
    include: ['server/e2e/faults/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
  },
})
