import { connect } from 'node:net'

/**
 * A minimal keep-alive HTTP/1.1 client, one request at a time. It shares a core with Postgres, so its own
 * cost would look like a slower server.
 *
 * `send(bytes, done)` calls `done(error, response)`; a response is {status, head, bytes, bodyStart}.
 */
export function openConnection(port) {
  let socket
  let done
  let received

  const settle = (error, response) => {
    const callback = done
    done = undefined
    received = undefined
    callback?.(error, response)
  }
  const open = () => {
    const fresh = connect({ port, host: '127.0.0.1', noDelay: true })
    fresh.on('data', (chunk) => {
      received = received ? Buffer.concat([received, chunk]) : chunk
      const response = parse(received)
      if (!response) return
      if (/\r\nconnection: *close/i.test(response.head)) drop()
      settle(undefined, response)
    })
    fresh.on('error', (error) => fresh === socket && fail(error))
    fresh.on(
      'close',
      () => fresh === socket && fail(new Error('The server closed the connection.')),
    )
    return fresh
  }
  const drop = () => {
    const old = socket
    socket = undefined
    old?.destroy()
  }
  const fail = (error) => {
    drop()
    settle(error)
  }
  return {
    send(bytes, callback) {
      done = callback
      socket ??= open()
      socket.write(bytes)
    },
    close() {
      done = undefined
      drop()
    },
  }
}

/** The response when it is complete. */
function parse(bytes) {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const head = bytes.latin1Slice(0, headEnd)
  const bodyStart = headEnd + 4
  const status = Number(head.slice(9, 12))
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  const complete =
    length !== undefined
      ? bytes.length >= bodyStart + Number(length)
      : status === 204 || status === 304 || bytes.subarray(-5).equals(LAST_CHUNK)
  return complete ? { status, head, bytes, bodyStart } : undefined
}

const LAST_CHUNK = Buffer.from('0\r\n\r\n')

/** The body as text, chunks joined. */
export function bodyText({ head, bytes, bodyStart }) {
  const body = bytes.subarray(bodyStart)
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return body.toString()
  const parts = []
  for (let at = 0; ;) {
    const lineEnd = body.indexOf('\r\n', at)
    const size = Number.parseInt(body.toString('latin1', at, lineEnd), 16)
    if (!size) return Buffer.concat(parts).toString()
    parts.push(body.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
}

/** The values of a header. */
export function headerValues({ head }, name) {
  return [...head.matchAll(new RegExp(`\\r\\n${name}: *([^\\r]*)`, 'gi'))].map((match) => match[1])
}

/** The bytes of a request. */
export function requestBytes({ method = 'GET', path, host, headers = {}, body = '' }) {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, 'Accept: application/json']
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  if (method !== 'GET') lines.push(`Content-Length: ${Buffer.byteLength(body)}`)
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)
}
