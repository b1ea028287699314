import { createServer, request } from 'node:http'
import { freePort } from '../../local/loopback.js'
import { startTestService, type TestService } from './service.js'

/** What a page server answers: HTML or a script. */
export type Pages = (url: URL, cookie: string) => Promise<string | undefined> | string | undefined

/** Pages and the service on one origin, as a proxy in front of both would have it. */
export interface OneOrigin {
  readonly origin: string
  readonly service: TestService
  /** `GET /api/v1/auth/me` and so on, in order. */
  readonly asked: string[]
  /** While true the service is unreachable, as a proxy would report it. */
  isAway: boolean
  close(): Promise<void>
}

/** Starts both. Paths that end in `.js` are scripts. */
export async function startOneOrigin(pages: Pages): Promise<OneOrigin> {
  const [port, apiPort] = [await freePort(), await freePort()]
  const origin = `http://localhost:${port}`
  const service = await startTestService({ port, env: { PORT: String(apiPort) } })
  const server = createServer((req, res) => {
    const url = new URL(req.url ?? '/', origin)
    if (url.pathname.startsWith('/api/')) {
      both.asked.push(`${req.method} ${url.pathname}`)
      if (both.isAway) return void res.writeHead(502).end('away')
      const { method, headers } = req
      const target = { host: '127.0.0.1', port: apiPort, path: req.url, method, headers }
      const onward = request(target, (answer) => {
        res.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(res)
      })
      onward.on('error', () => res.destroy())
      return void req.pipe(onward)
    }
    const answered = async (): Promise<void> => {
      const body = await pages(url, req.headers.cookie ?? '')
      const type = url.pathname.endsWith('.js') ? 'text/javascript' : 'text/html'
      res.writeHead(body === undefined ? 404 : 200, { 'content-type': `${type}; charset=utf-8` })
      res.end(body)
    }
    answered().catch((error: Error) => res.destroy(error))
  })
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
  const both: OneOrigin = {
    origin,
    service,
    asked: [],
    isAway: false,
    async close() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
      await service.close()
    },
  }
  return both
}
