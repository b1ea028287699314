import { SCHEMAS } from './components.js'
import { createOpenApiDocument } from './document.js'
import { PARAMETER_EXAMPLES } from './examples.js'
import type { MediaTypeObject, OperationObject, ResponseObject } from './specification.js'

/** One step of the walk through the API with curl. */
interface CurlStep {
  /** The key of the route. */
  readonly key: string
  /** The response status of this step. @default 200 */
  readonly status?: number
  /** Instructions to show before the command. */
  readonly before?: string
  /** A shell variable for a value from an earlier step. */
  readonly variable?: Learned
  /** Query parameters. @default none */
  readonly query?: string
  /** The `Accept` header. @default any media type */
  readonly accept?: string
}

/** A value that only an earlier step can provide; the contract has an example of it. */
interface Learned {
  readonly name: string
  /**
   * `address`: the full URL of the route, with these query parameters. `path`: its path parameter.
   * `field`: the only field of its form.
   */
  readonly use: 'path' | 'field' | { readonly address: readonly string[] }
}

/** Every route, in an order in which each step has the values that it needs. */
export const CURL_STEPS: readonly CurlStep[] = [
  { key: 'describe' },
  { key: 'signin' },
  {
    key: 'callback',
    before:
      'Open `redirectUrl` in a private window of a browser and sign in. The callback refuses the browser, because curl started the sign-in; the transaction stays usable. Copy the URL from the address bar.',
    variable: { name: 'CALLBACK', use: { address: ['code', 'state', 'iss'] } },
    accept: 'application/json',
  },
  {
    key: 'providerCallback',
    status: 400,
    before: 'No sign-in of this walk started with this redirect URI, so it is refused.',
    variable: { name: 'PROVIDER_CALLBACK', use: { address: ['code', 'state', 'iss'] } },
    accept: 'application/json',
  },
  { key: 'session' },
  { key: 'me' },
  { key: 'sessions' },
  {
    key: 'revokeSession',
    before:
      'Take the `id` of a session that is not `current`. Sign in with a browser to have one more.',
    variable: { name: 'SESSION_ID', use: 'path' },
  },
  { key: 'revokeOtherSessions' },
  { key: 'accounts' },
  {
    key: 'unlinkAccount',
    status: 409,
    before: 'Take the `id` of the account. It is the only one, so it is not removed.',
    variable: { name: 'ACCOUNT_ID', use: 'path' },
  },
  { key: 'token' },
  {
    key: 'providerToken',
    status: 404,
    before: 'It is off by default. The guide to provider tokens has a call with a service key.',
  },
  { key: 'jwks' },
  { key: 'forwardAuth', query: 'audience=https://orders.example.com' },
  { key: 'exportUser' },
  { key: 'signout' },
  {
    key: 'logout',
    status: 303,
    before: 'Take `logoutUrl` of the sign-out, within a minute.',
    variable: { name: 'LOGOUT_URL', use: { address: ['ticket'] } },
  },
  {
    key: 'loggedOut',
    status: 303,
    before:
      'Open that `Location` in the browser and sign out. The browser is refused at the end, as at the callback. Copy the URL from the address bar.',
    variable: { name: 'LOGGED_OUT', use: { address: ['state'] } },
  },
  {
    key: 'backChannelLogout',
    before: 'Only the provider can create the token, and it sends this request itself.',
    variable: { name: 'LOGOUT_TOKEN', use: 'field' },
  },
  { key: 'sessions', status: 401, before: 'The session has ended.' },
  { key: 'deleteUser', status: 401, before: 'So this deletes nothing; with a session it would.' },
]

const DOCUMENT = createOpenApiDocument()
const SERVER = DOCUMENT.servers[0]?.url ?? ''

/** Generates openapi/CURL.md: every route as a curl command with its example response. */
export function curlWalk(): string {
  return [
    '<!-- Written by `npm run openapi` from the contract. Do not edit. -->',
    '# The API by curl',
    'Every route, in an order that works when you type it. Values from other systems are examples.',
    block('sh', 'NETSCRIPT_AUTH_TOKEN_AUDIENCES=https://orders.example.com npm start'),
    'And in another terminal:',
    block('sh', `AUTH=${SERVER}`),
    ...CURL_STEPS.flatMap(section),
    '',
  ].join('\n\n')
}

interface Found {
  readonly method: string
  readonly path: string
  readonly operation: OperationObject
}

function find(key: string): Found {
  for (const [path, methods] of Object.entries(DOCUMENT.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (operation.operationId === key) return { method: method.toUpperCase(), path, operation }
    }
  }
  throw new Error(`There is no route ${key}.`)
}

function section(step: CurlStep): string[] {
  const found = find(step.key)
  const { method, path, operation } = found
  const { status = 200, before } = step
  // The second step of a route shows a problem.
  const isProblem = CURL_STEPS.find(({ key }) => key === step.key) !== step
  return [
    `## ${isProblem ? 'A problem' : operation.summary}`,
    `\`${method} ${path}\``,
    ...(isProblem ? [] : [operation.description ?? '']),
    ...(before === undefined ? [] : [before]),
    block('sh', command(step, found)),
    ...answer(operation, status),
    ...(isProblem ? [] : [problemsOf(operation)]),
  ]
}

function command(step: CurlStep, found: Found): string {
  const { status = 200, variable, accept, query } = step
  const { method, operation } = found
  const isForm = variable?.use === 'field'
  const options = [
    !contentOf(operation, status) && '-i',
    method === 'DELETE' && '-X DELETE',
    keepsCookies(operation) && '-b cookies.txt -c cookies.txt',
    accept !== undefined && `-H 'Accept: ${accept}'`,
    // Without an Origin header, a request that changes state must be JSON (CSRF protection).
    method !== 'GET' && !isForm && `-H 'Content-Type: application/json'`,
  ].filter((option) => option !== false)
  const head = ['curl', ...options].join(' ')
  const tail = [
    ...bodyOf(operation, variable),
    `"${address(variable, found)}${query === undefined ? '' : `?${query}`}"`,
  ].join(' ')
  const isLong = head.length + tail.length > 90
  return [
    ...(variable ? [`${variable.name}='${exampleOfLearned(variable, found)}'`] : []),
    isLong ? `${head} \\\n  ${tail}` : `${head} ${tail}`,
  ].join('\n')
}

const keepsCookies = ({ security, responses }: OperationObject): boolean =>
  security.length > 0 ||
  Object.values(responses).some((one) => 'headers' in one && 'Set-Cookie' in one.headers)

function address(variable: Learned | undefined, { path }: Found): string {
  if (!variable || variable.use === 'field') return `$AUTH${path}`
  if (variable.use === 'path') return `$AUTH${path.replace(/\{\w+\}/, `$${variable.name}`)}`
  return `$${variable.name}`
}

function exampleOfLearned({ use }: Learned, { path, operation }: Found): string {
  if (use === 'field') return String(Object.values(bodyExample(operation))[0])
  if (use === 'path') {
    return String(operation.parameters?.find((one) => one.in === 'path')?.example)
  }
  const query = use.address.map((name): [string, string] => [name, PARAMETER_EXAMPLES[name] ?? ''])
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => PARAMETER_EXAMPLES[name] ?? '')
  return `${SERVER}${filled}?${new URLSearchParams(query).toString()}`
}

function bodyOf(operation: OperationObject, variable: Learned | undefined): string[] {
  if (!operation.requestBody) return []
  const example = bodyExample(operation)
  if (variable?.use !== 'field') return [`-d '${JSON.stringify(example)}'`]
  return [`--data-urlencode "${Object.keys(example)[0]}=$${variable.name}"`]
}

function bodyExample({ requestBody }: OperationObject): object {
  const [media] = Object.values(requestBody?.content ?? {})
  return media ? (exampleOf(media) as object) : {}
}

function answer(operation: OperationObject, status: number): string[] {
  const { description, headers } = responseOf(operation, status)
  const media = contentOf(operation, status)
  const type = media
    ? ` \`${media[0]}\``
    : 'Location' in headers
      ? ' with `Location`'
      : ' without a body'
  return [
    `**${status}**${type}. ${description}`,
    ...(media ? [block('json', JSON.stringify(exampleOf(media[1])))] : []),
  ]
}

/** The first body of a response with its media type. */
const contentOf = (
  operation: OperationObject,
  status: number,
): [string, MediaTypeObject] | undefined =>
  Object.entries(responseOf(operation, status).content ?? {})[0]

function responseOf({ responses }: OperationObject, status: number): ResponseObject {
  const response = responses[status]
  if (!response) throw new Error(`There is no answer ${status}.`)
  if (!('$ref' in response)) return response
  const shared = DOCUMENT.components.responses[response.$ref.split('/').at(-1) ?? '']
  if (!shared) throw new Error(`${response.$ref} points nowhere.`)
  return shared
}

/** The first named example of a body, or the example of its schema. */
function exampleOf({ schema, examples }: MediaTypeObject): unknown {
  const [named] = Object.values(examples ?? {})
  if (named) return named.value
  const id = String(schema.$ref).slice(SCHEMAS.length)
  const own = DOCUMENT.components.schemas[id]?.examples
  if (Array.isArray(own)) return own[0]
  throw new Error(`${id} has no example. Give it one in the contract or in openapi/examples.ts.`)
}

function problemsOf(operation: OperationObject): string {
  const rows = Object.keys(operation.responses)
    .filter((status) => Number(status) >= 400)
    .map((status) => {
      const { content } = responseOf(operation, Number(status))
      const codes = Object.keys(content?.['application/problem+json']?.examples ?? {})
      return `${status} ${codes.map((code) => `\`${code}\``).join(', ')}`
    })
  return `Problems: ${rows.join('; ')}.`
}

const block = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\``
