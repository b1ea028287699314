import type { ContractRoute } from '@netscript/auth-contract'
import { z } from 'zod'
import type { Components } from './components.js'
import type { MediaTypeObject, RequestBodyObject } from './specification.js'

/** The request body of a route. Routes that browsers navigate to accept a form as well. */
export function requestBodyOf(
  { body, contentType = 'application/json' }: ContractRoute,
  navigation: boolean,
  components: Components,
): RequestBodyObject | undefined {
  if (!(body instanceof z.ZodType)) return undefined
  const { schema } = components.schema(body, 'input')
  if (!navigation) {
    return { required: isRequired(body), content: { [contentType]: { schema } } }
  }
  const lists = listsOf(body)
  const form: MediaTypeObject = {
    schema,
    ...(lists.length > 0 && {
      encoding: Object.fromEntries(lists.map((name) => [name, { style: 'form', explode: true }])),
    }),
  }
  return {
    description: [
      'A JSON request gets a JSON response, a form post a redirect. Empty form fields count as absent',
      ...lists.map((name) => `, and \`${name}\` may repeat or be separated by spaces`),
      '.',
    ].join(''),
    required: isRequired(body),
    content: { 'application/json': { schema }, 'application/x-www-form-urlencoded': form },
  }
}

/** A missing body is read as an empty object. */
const isRequired = (body: z.ZodType): boolean => !body.safeParse({}).success

function listsOf(body: z.ZodType): string[] {
  if (!(body instanceof z.ZodObject)) return []
  return Object.entries(body.shape as Record<string, z.ZodType>)
    .filter(
      ([, field]) =>
        (field instanceof z.ZodOptional ? field.unwrap() : field) instanceof z.ZodArray,
    )
    .map(([name]) => name)
}
