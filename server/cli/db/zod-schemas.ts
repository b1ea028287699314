import type { DMMF } from '@prisma/generator-helper'

/*
 * Not a generator from npm: those that support Prisma 7 and zod 4 import from paths that the new client
 * does not have, or omit the file extension that Node requires. Only row schemas are needed here.
 */

const SCALARS: Readonly<Record<string, string>> = {
  String: 'z.string()',
  Boolean: 'z.boolean()',
  Int: 'z.int()',
  BigInt: 'z.bigint()',
  Float: 'z.number()',
  Decimal: 'z.custom<Decimal>(Decimal.isDecimal)',
  DateTime: 'z.date()',
  Json: 'z.json()',
  Bytes: 'z.instanceof(Uint8Array)',
}

/**
 * Generates a module with a zod schema for each enum and for a row of each model as the client returns
 * it, without relations.
 */
export function zodSchemas({ enums, models }: DMMF.Datamodel): string {
  const parts = [...enums.map(enumSchema), ...models.map(modelSchema)]
  const usesDecimal = models.some(({ fields }) => fields.some(({ type }) => type === 'Decimal'))
  return [
    '// Made by `netscript db generate`; do not edit.',
    ...(usesDecimal ? [`import { Decimal } from '@prisma/client/runtime/client'`] : []),
    `import { z } from 'zod'`,
    '',
    ...parts,
  ].join('\n')
}

function enumSchema({ name, values, documentation }: DMMF.DatamodelEnum): string {
  const names = values.map((value) => JSON.stringify(value.name)).join(', ')
  return `${comment(documentation)}export const ${name}Schema = z.enum([${names}])\n`
}

function modelSchema({ name, fields, documentation }: DMMF.Model): string {
  const lines = fields
    .filter(({ kind }) => kind === 'scalar' || kind === 'enum')
    .map((field) => `${comment(field.documentation, '  ')}  ${field.name}: ${fieldSchema(field)},`)
  return [
    `${comment(documentation)}export const ${name}Schema = z.object({`,
    ...lines,
    '})',
    `export type ${name}Row = z.infer<typeof ${name}Schema>`,
    '',
  ].join('\n')
}

function fieldSchema({ kind, type, isList, isRequired }: DMMF.Field): string {
  const base = kind === 'enum' ? `${type}Schema` : (SCALARS[type] ?? 'z.unknown()')
  if (isList) return `z.array(${base})`
  return isRequired ? base : `${base}.nullable()`
}

function comment(text: string | undefined, indentation = ''): string {
  if (!text) return ''
  return `${indentation}/** ${text.replaceAll('*/', '* /').replaceAll('\n', ' ')} */\n`
}
