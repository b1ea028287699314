import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { OpenApiDocument } from '../specification.js'

interface Exemplified {
  schema?: object
  example?: unknown
  examples?: Record<string, { value: unknown }>
}

/** Validates every example of a document against the schema beside it. */
export function exampleFailures(document: OpenApiDocument): {
  failures: string[]
  checked: number
} {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema({ $id: 'urn:netscript:document', components: document.components })
  const failures: string[] = []
  let checked = 0

  const check = (schema: object, value: unknown, path: string): void => {
    checked += 1
    const absolute = JSON.parse(
      JSON.stringify(schema).replaceAll('"#/components/', '"urn:netscript:document#/components/'),
    ) as object
    if (!ajv.validate(absolute, value)) failures.push(`${path}: ${ajv.errorsText()}`)
  }
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return
    const { schema, example, examples } = node as Exemplified
    if (Array.isArray(examples)) {
      examples.forEach((value, n) => check(node, value, `${path}/examples/${n}`))
    } else if (schema) {
      if (example !== undefined) check(schema, example, path)
      for (const [name, { value }] of Object.entries(examples ?? {})) {
        check(schema, value, `${path}/examples/${name}`)
      }
    }
    for (const [key, value] of Object.entries(node)) visit(value, `${path}/${key}`)
  }
  visit(document, '#')
  return { failures, checked }
}
