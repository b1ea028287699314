import { describe, it } from 'node:test'
import { runAuthBackendConformance } from '../index.js'
import { memoryHarness } from './memory-harness.js'

runAuthBackendConformance(memoryHarness(), { describe, it })
