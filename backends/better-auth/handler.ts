import type { IncomingMessage, ServerResponse } from 'node:http'
import { AuthError } from '../errors.js'
import { isPrefetch, originForm } from '../request.js'
import type { BetterAuthInstance } from './context.js'
import { CLIENT_ADDRESS_HEADER } from './instance.js'

/** The largest body that better-auth is given, in bytes. */
const BODY_LIMIT = 100 * 1024

/** A Node request handler; Express takes it as it is. */
export type NodeHandler = (req: IncomingMessage, res: ServerResponse) => Promise<void>

/**
 * better-auth's own routes for Node. The address of the caller and the origin that people see are
 * those of the service: what a caller says about them in headers is not believed.
 */
export function createNodeHandler(auth: BetterAuthInstance, baseURL: string): NodeHandler {
  const { protocol, host } = new URL(baseURL)
  return async (req, res) => {
    const { toNodeHandler } = await import('better-auth/node')
    // Links in e-mails and callbacks of providers work once.
    if (isPrefetch(req.headers))
      return void res.writeHead(503, { 'cache-control': 'no-store' }).end()
    limitBody(req)
    useOriginForm(req)
    req.headers['x-forwarded-proto'] = protocol.slice(0, -1)
    req.headers.host = host
    req.headers[CLIENT_ADDRESS_HEADER] = clientAddress(req)
    await toNodeHandler(auth)(req, res)
  }
}

/** The library appends the target to our origin, which an absolute one would break. */
function useOriginForm(req: IncomingMessage & { originalUrl?: string }): void {
  req.url = originForm(req.url ?? '')
  if (req.originalUrl !== undefined) req.originalUrl = originForm(req.originalUrl)
}

/** Express knows which proxies are trusted, and says so in `ip`. */
function clientAddress(req: IncomingMessage & { ip?: string | undefined }): string {
  return req.ip ?? req.socket.remoteAddress ?? ''
}

/** better-auth reads a body of any size; one without a length is cut off while it arrives. */
function limitBody(req: IncomingMessage): void {
  if (Number(req.headers['content-length'] ?? 0) > BODY_LIMIT) throw tooLarge()
  if (req.headers['transfer-encoding'] === undefined) return
  let size = 0
  req.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > BODY_LIMIT) req.destroy(tooLarge())
  })
}

const tooLarge = (): AuthError =>
  new AuthError('PAYLOAD_TOO_LARGE', `The body may have ${BODY_LIMIT} bytes at most.`)
