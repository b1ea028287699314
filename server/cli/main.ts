#!/usr/bin/env node
import { createProgram } from './program.js'

await createProgram()
  .parseAsync()
  .catch(async (error: unknown) => {
    const { reportFailure } = await import('./terminal.js')
    reportFailure(error)
  })
