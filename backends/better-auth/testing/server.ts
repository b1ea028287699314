import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BetterAuthPlugin } from 'better-auth'
import type { PostgresPool } from '@netscript/auth-database'
import { createPrismaClient, type PrismaClient } from '../../../prisma/client.js'
import { createTestDatabase } from '../../../prisma/test-database.js'
import { AuthError } from '../../errors.js'
import { createPool } from '../../../prisma/pool.js'
import { type BetterAuthBackend, createBetterAuthBackend } from '../backend.js'
import type { BetterAuthInstance } from '../context.js'
import {
  createNetscriptBetterAuth,
  type NetscriptBetterAuth,
  type PassedOnOptions,
} from '../instance.js'

/** The backend over HTTP, on a separate database. */
export interface TestServer<Plugins extends BetterAuthPlugin[]> {
  readonly origin: string
  readonly secret: string
  readonly auth: NetscriptBetterAuth<Plugins>
  readonly backend: BetterAuthBackend
  readonly prisma: PrismaClient
  readonly pool: PostgresPool
  readonly databaseUrl: string
  /** All log lines so far, as JSON. */
  readonly log: readonly string[]
  close(): Promise<void>
}

/** Options of {@link startTestServer}. */
export interface TestServerOptions<Plugins extends BetterAuthPlugin[]> {
  plugins?: Plugins
  betterAuthOptions?: PassedOnOptions
  /** @default no further origins */
  allowedReturnTo?: string[]
  /** @default 100 */
  maxSessionsPerUser?: number
}

/** Starts a server with the routes of better-auth on a free port. */
export async function startTestServer<Plugins extends BetterAuthPlugin[] = []>(
  options: TestServerOptions<Plugins> = {},
): Promise<TestServer<Plugins>> {
  const database = await createTestDatabase()
  const pool = createPool(database.url)
  const prisma = createPrismaClient(pool)
  const log: string[] = []
  const write = (fields: object, message: string): void =>
    void log.push(JSON.stringify({ ...fields, message }))
  const server = createServer((req, res) => {
    backend.handler(req, res).catch((error: unknown) => {
      if (!res.headersSent) res.writeHead(error instanceof AuthError ? error.status : 500)
      res.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`
  const secret = randomBytes(32).toString('base64url')
  const auth = await createNetscriptBetterAuth<Plugins>({
    prisma,
    pool,
    secret,
    baseURL: origin,
    log: { info: write, warn: write, error: write },
    betterAuthOptions: { rateLimit: { enabled: false }, ...options.betterAuthOptions },
    ...(options.plugins && { plugins: options.plugins }),
    ...(options.maxSessionsPerUser && { maxSessionsPerUser: options.maxSessionsPerUser }),
    ...(options.allowedReturnTo && { allowedReturnTo: options.allowedReturnTo }),
  })
  const backend = createBetterAuthBackend({
    // Cast, because a type with open type parameters is not assignable.
    auth: auth as unknown as BetterAuthInstance,
    secret,
    baseURL: origin,
    close: () => prisma.$disconnect(),
  })
  return {
    origin,
    secret,
    auth,
    backend,
    prisma,
    pool,
    databaseUrl: database.url,
    log,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await backend.close()
      if (!pool.ended) await pool.end()
      await database.drop()
    },
  }
}
