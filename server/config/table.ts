import type { z } from 'zod'
import { VARIABLES } from './variables.js'

/** Generates the table in CONFIGURATION.md from the schema of the variables. */
export function configurationTable(): string {
  const rows = Object.entries(VARIABLES).map(([name, schema]) => {
    const { description = '' } = schema as z.ZodType
    return `| \`${name}\` | ${defaultOf(schema)} | ${description} |`
  })
  return ['| variable | default | meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

function defaultOf(schema: z.ZodType): string {
  const { def } = schema as unknown as { def: { type: string; defaultValue?: unknown } }
  if (def.type !== 'default') return ''
  const text = Array.isArray(def.defaultValue)
    ? def.defaultValue.join(' ')
    : String(def.defaultValue)
  return text === '' ? '' : `\`${text}\``
}
