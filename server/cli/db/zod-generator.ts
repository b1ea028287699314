#!/usr/bin/env node
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import helper from '@prisma/generator-helper'
import { zodSchemas } from './zod-schemas.js'

/*
 * The Prisma generator `netscript-zod`: zod schemas of rows, in index.ts of its output.
 */
helper.generatorHandler({
  onManifest: () => ({ prettyName: 'zod schemas', defaultOutput: './generated/zod' }),
  async onGenerate({ generator, dmmf }) {
    const directory = generator.output?.value
    if (!directory) throw new Error('The generator netscript-zod has no output. Set one.')
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'index.ts'), zodSchemas(dmmf.datamodel))
  },
})
