import { createServer } from 'node:http'
import { listen } from '../../listen.js'

/** A span as it arrived. */
export interface ReceivedSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  /** Empty for a root. */
  readonly parentSpanId: string
  readonly attributes: Readonly<Record<string, string | number | boolean>>
}

/** A trace collector: OTLP over HTTP with protobuf. */
export interface OtlpReceiver {
  readonly url: string
  readonly spans: readonly ReceivedSpan[]
  /** The attributes of the resource of the last request. */
  readonly resource: Readonly<Record<string, unknown>>
  /** Everything that arrived, byte for byte. */
  received(): Buffer
  close(): Promise<void>
}

/** Starts a receiver on a free port. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const bodies: Buffer[] = []
  const spans: ReceivedSpan[] = []
  let resource: ReceivedSpan['attributes'] = {}
  const server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const isTraces = req.method === 'POST' && req.url === '/v1/traces'
      if (!isTraces || req.headers['content-type'] !== 'application/x-protobuf') {
        res.writeHead(404).end()
        return
      }
      const body = Buffer.concat(chunks)
      bodies.push(body)
      for (const resourceSpans of messages(body, 1)) {
        resource = attributes(messages(resourceSpans, 1)[0] ?? Buffer.alloc(0), 1)
        for (const scope of messages(resourceSpans, 2))
          spans.push(...messages(scope, 2).map(toSpan))
      }
      res.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    })
  })
  const url = await listen(server, { port: 0, host: '127.0.0.1' })
  return {
    url,
    spans,
    get resource() {
      return resource
    },
    received: () => Buffer.concat(bodies),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

type Field = { number: number; value: Buffer | bigint }

/** The fields of a protobuf message (the encoding is described at protobuf.dev). */
function fields(message: Buffer): Field[] {
  const found: Field[] = []
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const take = (length: number): Buffer => {
    at += length
    return message.subarray(at - length, at)
  }
  while (at < message.length) {
    const tag = Number(varint())
    const [number, wireType] = [tag >> 3, tag & 7]
    if (wireType === 0) found.push({ number, value: varint() })
    else if (wireType === 1) found.push({ number, value: take(8) })
    else if (wireType === 2) found.push({ number, value: take(Number(varint())) })
    else if (wireType === 5) found.push({ number, value: take(4) })
    else throw new Error(`There is no wire type ${wireType}.`)
  }
  return found
}

/** The values of a field that holds messages, texts or bytes. */
const messages = (message: Buffer, number: number): Buffer[] =>
  fields(message).flatMap((field) =>
    field.number === number && Buffer.isBuffer(field.value) ? [field.value] : [],
  )

const text = (message: Buffer, number: number): string =>
  messages(message, number)[0]?.toString('utf8') ?? ''

const hex = (message: Buffer, number: number): string =>
  messages(message, number)[0]?.toString('hex') ?? ''

function toSpan(span: Buffer): ReceivedSpan {
  return {
    traceId: hex(span, 1),
    spanId: hex(span, 2),
    parentSpanId: hex(span, 4),
    name: text(span, 5),
    attributes: attributes(span, 9),
  }
}

function attributes(message: Buffer, number: number): ReceivedSpan['attributes'] {
  const pairs = messages(message, number).map((pair) => {
    const [value] = fields(messages(pair, 2)[0] ?? Buffer.alloc(0))
    return [text(pair, 1), anyValue(value)] as const
  })
  return Object.fromEntries(pairs)
}

/** `AnyValue` of opentelemetry.proto.common.v1: a text, a boolean, an integer or a double. */
function anyValue(field: Field | undefined): string | number | boolean {
  if (field === undefined) return ''
  const { number, value } = field
  if (typeof value === 'bigint') return number === 2 ? value === 1n : Number(value)
  return number === 4 ? value.readDoubleLE(0) : value.toString('utf8')
}
