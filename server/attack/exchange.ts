import assert from 'node:assert/strict'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import tls from 'node:tls'

/** A request, sent unchanged except for Host, Content-Length and Connection. */
export interface AttackRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Buffer
}

/** A complete response. */
export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly setCookies: readonly string[]
  readonly text: string
  /** The body as JSON; throws when it is not. */
  json(): unknown
}

/** Response timeout in milliseconds. */
const HUNG_MS = 20_000

/** Sends requests over keep-alive connections. */
export interface Sender {
  readonly send: (path: string, request?: AttackRequest) => Promise<Answer>
  readonly close: () => void
}

/** Creates a {@link Sender} for an origin. `path` is sent byte for byte, without normalization. */
export function createSender(origin: string, connections = 16): Sender {
  const { protocol, hostname, port } = new URL(origin)
  const transport = protocol === 'https:' ? https : http
  const agent = new transport.Agent({ keepAlive: true, maxSockets: connections })
  const host = hostname.replace(/^\[|\]$/g, '')
  return {
    close: () => agent.destroy(),
    send: (path, { method = 'GET', headers = {}, body } = {}) =>
      new Promise((resolve, reject) => {
        const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
        const request = transport.request({
          agent,
          host,
          ...(port !== '' && { port }),
          method,
          path,
          headers: { ...length, ...headers } as http.OutgoingHttpHeaders,
        })
        request.setTimeout(HUNG_MS, () => {
          request.destroy(new Error(`${method} ${path} was not answered`))
        })
        request.once('error', reject)
        request.once('response', (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.once('error', reject)
          response.once('end', () => {
            const text = Buffer.concat(chunks).toString()
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              setCookies: response.headers['set-cookie'] ?? [],
              text,
              json: () => JSON.parse(text) as unknown,
            })
          })
        })
        request.end(body)
      }),
  }
}

/** A raw response. */
interface RawAnswer {
  readonly status: number
  /** Name in lower case to value; repeated ones joined by a comma, `Set-Cookie` by a line feed. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** All responses on a connection until it was closed. */
export interface Exchange {
  readonly answers: readonly RawAnswer[]
  /** `false` when it was still open after the timeout. */
  readonly closed: boolean
}

/** Timeout in milliseconds, longer than common keep-alive timeouts. */
const PATIENCE_MS = 10_000

/** Writes arbitrary bytes and reads every response until the server closes the connection. */
export function exchange(origin: string, bytes: string | Buffer): Promise<Exchange> {
  const { protocol, hostname, port } = new URL(origin)
  const host = hostname.replace(/^\[|\]$/g, '')
  const socket =
    protocol === 'https:'
      ? tls.connect({ host, port: Number(port || 443), servername: host })
      : net.connect({ host, port: Number(port || 80) })
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const finish = (closed: boolean): void => {
      clearTimeout(patience)
      socket.destroy()
      try {
        resolve({ answers: readAnswers(Buffer.concat(chunks)), closed })
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    }
    const patience = setTimeout(() => finish(false), PATIENCE_MS)
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    // A server that rejects a request during the write resets the connection.
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return finish(true)
      clearTimeout(patience)
      reject(error)
    })
    socket.once('close', () => finish(true))
    socket.write(bytes)
  })
}

function readAnswers(bytes: Buffer): RawAnswer[] {
  const answers: RawAnswer[] = []
  let rest = bytes
  while (rest.length > 0) {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) throw new Error(`not an HTTP answer: ${JSON.stringify(rest.toString())}`)
    const [statusLine = '', ...lines] = rest.subarray(0, end).toString('latin1').split('\r\n')
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1])
    if (Number.isNaN(status)) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`)
    const headers = readHeaders(lines)
    const { body, length } = readBody(rest.subarray(end + 4), status, headers)
    rest = rest.subarray(end + 4 + length)
    if (status >= 200) answers.push({ status, headers, body })
  }
  return answers
}

function readHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    const before = headers.get(name)
    const separator = name === 'set-cookie' ? '\n' : ', '
    headers.set(name, before === undefined ? value : `${before}${separator}${value}`)
  }
  return headers
}

function readBody(
  rest: Buffer,
  status: number,
  headers: ReadonlyMap<string, string>,
): { body: string; length: number } {
  if (status < 200 || status === 204 || status === 304) return { body: '', length: 0 }
  if (headers.get('transfer-encoding')?.includes('chunked')) return readChunks(rest)
  const length = Number(headers.get('content-length') ?? rest.length)
  return { body: rest.subarray(0, length).toString(), length }
}

function readChunks(rest: Buffer): { body: string; length: number } {
  let [body, at] = ['', 0]
  for (;;) {
    const lineEnd = rest.indexOf('\r\n', at)
    const size = parseInt(rest.subarray(at, lineEnd).toString(), 16)
    if (lineEnd < 0 || Number.isNaN(size)) return { body, length: rest.length }
    const start = lineEnd + 2
    body += rest.subarray(start, start + size).toString()
    at = start + size + 2
    if (size === 0) return { body, length: at }
  }
}

/** The bytes of a request. `headers` are written line for line as given. */
export function requestBytes(startLine: string, headers: readonly string[], body = ''): Buffer {
  return Buffer.from(`${[startLine, ...headers].join('\r\n')}\r\n\r\n${body}`, 'latin1')
}

/** Signs of internal details: stack traces, library names, SQL, file paths. */
const INSIDE = [
  /\n\s+at \S/,
  /node_modules|node:internal|\/server\/|\/backends\//,
  /\b(?:Syntax|Type|Range|Reference|URI|Zod|Aggregate|Assertion)Error\b/,
  /PrismaClient|pg_catalog|relation "|duplicate key|ECONNREFUSED|ENOTFOUND/,
  /\b(?:SELECT|INSERT INTO|DELETE FROM|UPDATE) \S+ /,
  /OAUTH_[A-Z_]+|openid-client|oauth4webapi|body-parser|raw-body|entity\.|better-call|iron-webcrypto/,
  /Unexpected (?:token|end of|string|number)|not valid JSON|Failed to decode|Cannot (?:GET|POST|read)/,
  /\[object Object\]/,
]

/** Asserts that a text for callers contains no internal details. */
export function assertNothingInside(text: string, where: string): void {
  for (const pattern of INSIDE) {
    assert.doesNotMatch(text, pattern, `${where} shows something of the inside`)
  }
}

/** Asserts what holds for every response under the prefix, whatever the request. */
export function assertAnswerRules(answer: Answer, where: string, isHttps: boolean): void {
  const { headers, status, text, setCookies } = answer
  assert.ok(status !== 500, `${where} answered 500: ${text}`)
  assertNothingInside(text, where)
  assert.equal(headers['x-powered-by'], undefined, `${where} tells what it runs on`)
  // A response from a proxy or the HTTP parser: the request never reached the service.
  if (headers['x-request-id'] === undefined && [400, 414, 431].includes(status)) return
  assertPrivate(headers, where)
  assertSecurityHeaders(headers, where, isHttps)
  for (const cookie of setCookies) assertSafeCookie(cookie, where, isHttps)
}

function assertPrivate(headers: http.IncomingHttpHeaders, where: string): void {
  assert.match(headers['cache-control'] ?? '', /\bno-store\b/, `${where} may be stored`)
  assert.match(headers.vary ?? '', /\bcookie\b/i, `${where} does not vary by cookie`)
  assert.equal(headers.etag, undefined, `${where} can be asked for again by its ETag`)
}

function assertSecurityHeaders(
  headers: http.IncomingHttpHeaders,
  where: string,
  isHttps: boolean,
): void {
  assert.equal(headers['x-content-type-options'], 'nosniff', `${where} may be sniffed`)
  assert.equal(headers['x-frame-options'], 'DENY', `${where} may be framed`)
  assert.match(
    String(headers['referrer-policy']),
    /^(?:no-referrer|same-origin)$/,
    `${where} tells its address to others`,
  )
  const policy = String(headers['content-security-policy'])
  for (const part of ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]) {
    assert.ok(policy.includes(part), `${where} has no ${part} in its policy`)
  }
  assert.ok(!policy.includes('unsafe-'), `${where} allows something unsafe in its policy`)
  if (isHttps) assert.match(String(headers['strict-transport-security']), /max-age=[1-9]/, where)
}

function assertSafeCookie(line: string, where: string, isHttps: boolean): void {
  assert.match(line, /;\s*HttpOnly/i, `${where} sets a cookie that scripts can read`)
  assert.match(line, /;\s*SameSite=(?:Lax|Strict)/i, `${where} sets a cookie for other sites`)
  assert.doesNotMatch(line, /;\s*Domain=/i, `${where} sets a cookie for sibling domains`)
  if (isHttps || /^__(?:Host|Secure)-/i.test(line)) {
    assert.match(line, /;\s*Secure/i, `${where} sets a cookie that travels in the clear`)
  }
  const pair = line.split(';', 1)[0] ?? ''
  assert.ok(pair.length <= 4096, `${where} sets a cookie that browsers drop (RFC 6265bis 5.6)`)
}
