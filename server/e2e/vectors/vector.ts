import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** The adapters that a vector runs against. */
export const ADAPTERS = ['node', 'fetch', 'express', 'fastify'] as const
export type Adapter = (typeof ADAPTERS)[number]

/** A request as it is in a file; texts may have placeholders, see {@link expand}. */
export interface VectorRequest {
  method: string
  /** As it is in the request line. */
  target: string
  /** By lower-case name; a list is sent as several fields. */
  headers?: Record<string, string | string[]>
  body?: string
  /** A body that is no text, in base64. */
  bytes?: string
}

/** A response as a file has it. */
export interface VectorResponse {
  status: number
  /** By lower-case name, beyond those of `every-response.json`; `null` where one of those is missing. */
  headers: Record<string, string | string[] | null>
  /** The body, when `JSON.stringify` makes the same bytes of it. */
  json?: unknown
  /** Any other body. */
  body?: string
}

/** One request with the response that every adapter gives to it. */
export interface Vector {
  name: string
  /** The state before the request: names in `scene.ts`, in order. */
  given?: string[]
  /** The adapters that can be sent the request. Default: all. */
  only?: Adapter[]
  request: VectorRequest
  response: VectorResponse
}

/** What an adapter answered: header names in lower case and in order, `set-cookie` as a list. */
export interface Answer {
  status: number
  headers: Record<string, string | string[]>
  body: string
}

const DIRECTORY = import.meta.dirname
const COMMON = 'every-response.json'

const read = <T>(file: string): T => JSON.parse(readFileSync(join(DIRECTORY, file), 'utf8')) as T

/** The headers that every response has. */
const common = read<Record<string, string>>(COMMON)

/** The vectors by the name of their file, which is that of the route. */
export function readVectors(): Map<string, Vector[]> {
  const files = readdirSync(DIRECTORY).filter((file) => file.endsWith('.json') && file !== COMMON)
  return new Map(files.sort().map((file) => [basename(file, '.json'), read<Vector[]>(file)]))
}

/** Writes a file of vectors. */
export function writeVectors(name: string, vectors: readonly Vector[]): void {
  writeFileSync(join(DIRECTORY, `${name}.json`), `${JSON.stringify(vectors, undefined, 2)}\n`)
}

/** The adapters that a vector runs against. */
export const adaptersOf = ({ only }: Vector): readonly Adapter[] => only ?? ADAPTERS

/** The answer that a file describes. */
export function toAnswer({ status, headers, json, body }: VectorResponse): Answer {
  const all = Object.entries({ ...common, ...headers })
  return {
    status,
    headers: Object.fromEntries(all.filter(([, value]) => value !== null)) as Answer['headers'],
    body: json === undefined ? (body ?? '') : JSON.stringify(json),
  }
}

/** How a file describes an answer. */
export function toResponse({ status, headers, body }: Answer): VectorResponse {
  const missing = Object.keys(common).filter((name) => !(name in headers))
  const further = Object.entries(headers).filter(([name, value]) => common[name] !== value)
  return {
    status,
    headers: Object.fromEntries([...further, ...missing.map((name) => [name, null])]),
    ...bodyOf(body),
  }
}

function bodyOf(body: string): Pick<VectorResponse, 'json' | 'body'> {
  if (body === '') return {}
  try {
    const json: unknown = JSON.parse(body)
    if (JSON.stringify(json) === body) return { json }
  } catch {
    // Not JSON.
  }
  return { body }
}

/** Replaces `{{name}}` by what the state made and `{{text*20}}` by the text, 20 times. */
export function expand(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{\{(.+?)\}\}/g, (_placeholder, name: string) => {
    const [, repeated, times] = /^(.+)\*(\d+)$/.exec(name) ?? []
    const value = repeated === undefined ? values[name] : repeated.repeat(Number(times))
    if (value === undefined) throw new Error(`Nothing given makes {{${name}}}.`)
    return value
  })
}
