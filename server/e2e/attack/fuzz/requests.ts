import fc, { type Arbitrary } from 'fast-check'
import type { AttackRequest } from '../../../attack/exchange.js'
import type { Operation, Schema } from './document.js'
import { acceptableObjectFor, objectFor, valueFor, wildText } from './values.js'

/** A fuzzer request as text, so that a failure can be read and repeated. */
export interface FuzzRequest {
  readonly path: string
  readonly method: string
  readonly headers: Record<string, string>
  readonly body?: string
}

/** Material for requests. */
export interface FuzzMaterial {
  readonly origin: string
  /** `Cookie` headers that are valid at the target. */
  readonly cookies: readonly string[]
}

/** Requests to an operation of the document. */
export function requestsTo(
  operation: Operation,
  { origin, cookies }: FuzzMaterial,
): Arbitrary<FuzzRequest> {
  return fc
    .record({
      path: pathOf(operation),
      query: queryOf(operation),
      headers: headersOf(origin, cookies),
      body: bodyOf(operation),
    })
    .map(({ path, query, headers, body }) => ({
      method: operation.method,
      path: query === '' ? path : `${path}?${query}`,
      headers: { ...headers, ...(body && body.type !== '' && { 'content-type': body.type }) },
      ...(body && { body: body.text }),
    }))
    .filter(({ path }) => path.length < MAX_PATH)
}

/** The HTTP parser rejects longer paths, and the document does not cover that. */
const MAX_PATH = 8_000

/** As {@link AttackRequest}: what the sender takes. */
export function toAttackRequest({ method, headers, body }: FuzzRequest): AttackRequest {
  return { method, headers, ...(body !== undefined && { body }) }
}

const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\ufffd')
const encode = (value: unknown): string =>
  encodeURIComponent(wellFormed(typeof value === 'string' ? value : JSON.stringify(value)))

const brokenEscape = fc.constantFrom('%', '%2', '%zz', '%E0%A4%A', '%c0%af', '%00', '%u0041', '+')

function pathOf({ path, pathParameters }: Operation): Arbitrary<string> {
  if (pathParameters.length === 0) return fc.constant(path)
  const segment = (schema: Schema): Arbitrary<string> =>
    fc
      .oneof(
        { weight: 9, arbitrary: valueFor(schema).map(encode) },
        { weight: 1, arbitrary: brokenEscape },
      )
      // An empty segment would change the route.
      .map((text) => text || 'x')
  return fc
    .tuple(...pathParameters.map(({ schema }) => segment(schema)))
    .map((values) =>
      pathParameters.reduce(
        (filled, { name }, index) => filled.replace(`{${name}}`, () => values[index] ?? ''),
        path,
      ),
    )
}

function queryOf({ queryParameters }: Operation): Arbitrary<string> {
  const encoded = (schema: Schema): Arbitrary<string> =>
    fc.oneof(
      { weight: 9, arbitrary: valueFor(schema).map(encode) },
      { weight: 1, arbitrary: brokenEscape },
    )
  const declared = queryParameters.map(({ name, schema }) =>
    fc
      .array(encoded(schema), { maxLength: 2, size: 'max' })
      .map((values) => values.map((value) => `${name}=${value}`)),
  )
  const unknown = fc
    .array(fc.tuple(wildText, wildText), { maxLength: 2 })
    .map((pairs) => pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`))
  const rarely = fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: unknown },
  )
  return fc.tuple(rarely, ...declared).map((parts) => parts.flat().join('&'))
}

/** Valid header text: Latin-1 without line breaks. */
const headerText = wildText.map((text) => text.replace(/[^\t\x20-\x7e\xa0-\xff]/g, '').trim())

function headersOf(origin: string, cookies: readonly string[]): Arbitrary<Record<string, string>> {
  const planted = cookies.map((cookie) => cookie.split('=', 1)[0] ?? '')
  const cookie = fc.oneof(
    fc.constantFrom('', ...cookies),
    fc
      .tuple(fc.constantFrom('a', '__Host-ns_txn_AAAAAAAAAAAAAAAA', ...planted), headerText)
      .map(([name, value]) => `${name}=${value}`),
    fc
      .tuple(fc.constantFrom('', ...cookies), headerText)
      .map(([known, other]) => `${known}; ${other}`),
  )
  const said = (...values: string[]): Arbitrary<string> =>
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...values) },
      { weight: 1, arbitrary: headerText },
    )
  return fc
    .record(
      {
        accept: said('*/*', 'application/json', 'text/html', 'text/html,*/*;q=0.8', 'image/png'),
        cookie,
        origin: said(origin, origin, origin, 'null', 'https://evil.example'),
        'sec-fetch-site': said('same-origin', 'same-origin', 'none', 'cross-site'),
        'x-request-id': headerText,
        authorization: said('Bearer a.b.c', 'Basic x'),
        'user-agent': headerText,
        'x-forwarded-for': said('127.0.0.1', '::1'),
        'if-none-match': said('*', '"x"'),
        'content-encoding': fc.oneof(
          { weight: 8, arbitrary: fc.constant('identity') },
          { weight: 1, arbitrary: fc.constantFrom('gzip', 'evil') },
        ),
      },
      { requiredKeys: [] },
    )
    .map(sometimesLeftOut)
}

/** Drops most headers of half of the requests, so that these reach the handlers. */
function sometimesLeftOut(headers: Record<string, string>): Record<string, string> {
  const few = Object.keys(headers).length % 2 === 0
  const kept = ['accept', 'cookie', 'x-request-id']
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name, value]) => value !== '' && (!few || kept.includes(name)),
    ),
  )
}

interface Body {
  type: string
  text: string
}

function bodyOf({ bodies }: Operation): Arbitrary<Body | undefined> {
  const declared = [...bodies].map(([type, schema]) =>
    objectFor(schema).map((value): Body => ({ type, text: write(type, value) })),
  )
  if (declared.length === 0) return fc.constant(undefined)
  const right = fc.oneof(...declared)
  const acceptable = fc.oneof(
    ...[...bodies].map(([type, schema]) =>
      acceptableObjectFor(schema).map((value): Body => ({ type, text: write(type, value) })),
    ),
  )
  const types = fc.constantFrom(
    ...bodies.keys(),
    'application/json; charset=utf-8',
    'application/json;charset=evil',
    'text/plain',
    'multipart/form-data; boundary=x',
    '',
  )
  return fc.oneof(
    { weight: 8, arbitrary: right },
    { weight: 6, arbitrary: acceptable },
    { weight: 1, arbitrary: fc.constant(undefined) },
    {
      weight: 2,
      arbitrary: fc.tuple(types, right).map(([type, { text }]): Body => ({ type, text })),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(types, fc.oneof(wildText.map(wellFormed), fc.json()))
        .map(([type, text]): Body => ({ type, text })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(right, fc.nat(40))
        .map(([{ type, text }, cut]): Body => ({ type, text: text.slice(0, -cut) })),
    },
    {
      weight: 2,
      arbitrary: right.map(({ type }): Body => ({ type, text: `{"x":"${'x'.repeat(17_000)}"}` })),
    },
  )
}

function write(type: string, value: Record<string, unknown>): string {
  if (type === 'application/json') return JSON.stringify(value)
  const pairs = Object.entries(value).flatMap(([name, member]) =>
    (Array.isArray(member) ? member : [member]).map((one: unknown): [string, string] => [
      wellFormed(name),
      wellFormed(typeof one === 'string' ? one : JSON.stringify(one)),
    ]),
  )
  return new URLSearchParams(pairs).toString()
}
