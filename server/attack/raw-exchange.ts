import net from 'node:net'
import tls from 'node:tls'

/** A raw response. */
export interface RawAnswer {
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
