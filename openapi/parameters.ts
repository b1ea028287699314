import { z } from 'zod'
import type { Components } from './components.js'
import { PARAMETER_EXAMPLES } from './examples.js'
import type { NamedRoute } from './routes.js'
import type { ParameterObject } from './specification.js'

/** The path and query parameters of a route, one for each field of its schemas. */
export function parametersOf(
  { key, route }: NamedRoute,
  components: Components,
): ParameterObject[] {
  if (route.headers !== undefined) {
    throw new Error(`${key} declares request headers, which the document does not describe yet.`)
  }
  const inPath = [...route.path.matchAll(/:(\w+)/g)].map(([, name = '']) => name)
  const fields = fieldsOf(key, route.pathParams)
  return [
    ...inPath.map((name) => parameter('path', name, fields[name] ?? z.string(), components)),
    ...Object.entries(fieldsOf(key, route.query)).map(([name, field]) =>
      parameter('query', name, field, components),
    ),
  ]
}

function fieldsOf(key: string, schema: unknown): Record<string, z.ZodType> {
  if (schema === undefined) return {}
  if (!(schema instanceof z.ZodObject)) throw new Error(`${key}: parameters must be a zod object.`)
  return schema.shape
}

function parameter(
  where: 'path' | 'query',
  name: string,
  field: z.ZodType,
  components: Components,
): ParameterObject {
  const { schema, required } = components.schema(field, 'input')
  const { description, examples, ...rest } = schema
  const example: unknown = Array.isArray(examples) ? examples[0] : PARAMETER_EXAMPLES[name]
  return {
    name,
    in: where,
    ...(typeof description === 'string' && { description }),
    required: where === 'path' || required,
    schema: rest,
    ...(example !== undefined && { example }),
  }
}
