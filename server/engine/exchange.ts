import type { ContractRoute } from '@netscript/auth-contract'
import { toAuthnRequest } from '@netscript/plugin-auth-core'
import type { HandlerRequest } from '../handlers/context.js'
import {
  type EngineRequest,
  type EngineResponse,
  type HeaderField,
  type Reply,
  withoutEmpty,
} from './message.js'
import type { DeferredLimit } from './rate-limit.js'
import type { RequestLogLine } from './request-log.js'
import type { EngineRoute, RoutePath } from './routes.js'

const NOT_STORED: readonly HeaderField[] = [
  ['Cache-Control', 'no-store'],
  ['Vary', 'Cookie'],
]

/** RFC 9110 section 5.5. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** Backends may be plain JavaScript, and the adapter must be able to send every value. */
function sendable(name: string, value: string): HeaderField {
  if (FIELD_VALUE.test(value)) return [name, value]
  throw new TypeError(`${name} has a value that no header can hold.`)
}

/** What the peer of a request says about its client. */
interface Peers {
  clientAddress(request: EngineRequest): string
  isTrustedProxy(request: EngineRequest): boolean
}

/** One request and, once answered, its response. */
export class Exchange {
  readonly requestId: string
  readonly route: EngineRoute | undefined
  /** In the shape of the contract, but not validated yet. */
  body: unknown
  /** The limit of the request, if the backend is to charge it. */
  rateLimit: DeferredLimit | undefined
  #response: EngineResponse | undefined
  readonly #added: HeaderField[] = []
  readonly #line: RequestLogLine
  readonly #peers: Peers

  constructor(
    readonly request: EngineRequest,
    readonly path: string,
    readonly found: RoutePath | undefined,
    line: RequestLogLine,
    /** Headers of every response of this service, already checked. */
    private readonly commonHeaders: readonly HeaderField[],
    peers: Peers,
  ) {
    this.#peers = peers
    this.route = found?.byMethod.get(request.method)
    this.requestId = line.requestId
    this.#line = line
  }

  /** The route's declaration in the contract. */
  get contract(): ContractRoute {
    if (this.route) return this.route.contract
    throw new TypeError('No route has the path and method of the request.')
  }

  /** The request in the form that handlers and backends take. */
  authnRequest(): HandlerRequest {
    const { rateLimit, clientAddress: ip } = this
    const { method, target, headers } = this.request
    return Object.assign(toAuthnRequest({ method, url: target, headers, ip, rateLimit }), {
      query: target.slice(this.path.length + 1),
      isFromTrustedProxy: () => this.#peers.isTrustedProxy(this.request),
    })
  }

  /** The address of the client behind trusted proxies; empty when it is unknown. */
  get clientAddress(): string {
    return this.#peers.clientAddress(this.request)
  }

  /** The query, duplicates included, without parameters that have no value. */
  searchParams(): URLSearchParams {
    return withoutEmpty(new URLSearchParams(this.request.target.slice(this.path.length + 1)))
  }

  /** Adds headers to the response of this request, whatever it will be. */
  addHeaders(...fields: readonly HeaderField[]): void {
    this.#added.push(...fields.map(([name, value]) => sendable(name, value)))
  }

  /**
   * Header fields of a response, except those that describe its body.
   * @throws TypeError for a value that cannot be sent
   */
  headers({
    setCookies = [],
    location,
    cache,
    headers: further = [],
  }: Partial<Pick<Reply, 'setCookies' | 'location' | 'cache' | 'headers'>> = {}): HeaderField[] {
    const headers = [
      sendable('X-Request-Id', this.requestId),
      ...this.commonHeaders,
      ...this.#added,
      ...(cache === undefined ? NOT_STORED : [sendable('Cache-Control', cache)]),
    ]
    for (const [name, value] of further) headers.push(sendable(name, value))
    for (const cookie of setCookies) headers.push(sendable('Set-Cookie', cookie))
    if (location !== undefined) headers.push(sendable('Location', location))
    return headers
  }

  /** Answers the request. */
  respond(status: number, headers: HeaderField[], type?: string, body = ''): void {
    if (type !== undefined) headers.push(['Content-Type', `${type}; charset=utf-8`])
    if (status !== 204) headers.push(['Content-Length', String(Buffer.byteLength(body))])
    this.#response = { status, headers, body }
  }

  get isAnswered(): boolean {
    return this.#response !== undefined
  }

  /** @throws TypeError before the request is answered */
  get response(): EngineResponse {
    if (this.#response) return this.#response
    throw new TypeError('The request is not answered yet.')
  }

  /** Writes the log line. `undefined` means that the client disconnected before the response was sent. */
  settle(status: number | undefined): void {
    this.#line.end(status)
  }
}
