import { describe, expect, it } from 'vitest'
import { AUTH_BACKEND_CHECKS, checkAuthBackend, runAuthBackendConformance } from './index.js'
import { memoryHarness } from './testing/memory-harness.js'

runAuthBackendConformance(memoryHarness(), { describe, it })
