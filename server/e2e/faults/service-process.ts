import { randomBytes } from 'node:crypto'
import { expect, vi } from 'vitest'
import { type NetscriptProcess, startNetscript } from '../support/process.js'

/** A service in a process of its own. */
export interface ServiceProcess {
  readonly origin: string
  readonly pid: number
  /** The status of /health/ready, or `unreachable`. */
  readiness(): Promise<number | 'unreachable'>
  /** Resolves when the readiness probe says this. */
  untilReadiness(status: number, timeoutMs?: number): Promise<void>
  /** Checks that the process still runs and that its log contains only lines of the logger. */
  expectUnharmed(): void
  end(signal: NodeJS.Signals): Promise<number | null>
}

/** Settings shared by the processes of a service. */
export interface ServiceSettings {
  /** The public origin. */
  origin: string
  databaseUrl: string
  /** NETSCRIPT_AUTH_SESSION_STORE. Default: none, so that sessions are in the database. */
  sessionStore?: string | undefined
  /** NETSCRIPT_AUTH_KV_OAUTH_KEY. */
  key: string
  provider: {
    readonly issuer: string
    readonly client: { readonly clientId: string; readonly clientSecret: string }
    /** Default: the one that its metadata names. */
    readonly tokenEndpoint?: string
  }
}

/** Generates a key. */
export const newKey = (): string => randomBytes(32).toString('base64url')

/** Messages of Node, never of the logger, for an unhandled error. */
const ACCIDENT = /unhandled|uncaught|\(node:\d+\)|MaxListeners|DeprecationWarning/i

/** Runs `netscript start` and resolves when it is ready. */
export async function startServiceProcess(
  { origin, databaseUrl, sessionStore = '', key, provider }: ServiceSettings,
  options: { port: number; env?: Record<string, string>; preload?: readonly string[] },
): Promise<ServiceProcess> {
  const started = startNetscript(
    ['start'],
    {
      PORT: String(options.port),
      DATABASE_URL: databaseUrl,
      NETSCRIPT_AUTH_SESSION_STORE: sessionStore,
      NETSCRIPT_AUTH_HOST: '127.0.0.1',
      NETSCRIPT_AUTH_KV_OAUTH_KEY: key,
      NETSCRIPT_AUTH_PROVIDER_ID: 'local',
      NETSCRIPT_AUTH_ISSUER: provider.issuer,
      NETSCRIPT_AUTH_TOKEN_ENDPOINT: provider.tokenEndpoint ?? '',
      NETSCRIPT_AUTH_CLIENT_ID: provider.client.clientId,
      NETSCRIPT_AUTH_CLIENT_SECRET: provider.client.clientSecret,
      NETSCRIPT_AUTH_REDIRECT_URI: `${origin}/api/v1/auth/callback`,
      NETSCRIPT_AUTH_SCOPES: 'openid profile email offline_access',
      NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS: 'true',
      // All users sign in from one address here.
      NETSCRIPT_AUTH_RATE_LIMIT: '1000000',
      // The visitors share a few accounts, and all of their sessions are expected to stay.
      NETSCRIPT_AUTH_MAX_SESSIONS_PER_USER: '1000',
      ...options.env,
    },
    options.preload,
  )
  await started.waitFor('"msg":"ready"')
  return watch(started, `http://127.0.0.1:${options.port}`)
}

function watch(started: NetscriptProcess, origin: string): ServiceProcess {
  const { child } = started
  const service: ServiceProcess = {
    origin,
    pid: child.pid ?? 0,
    readiness: () =>
      fetch(`${origin}/health/ready`).then(
        async (response) => {
          await response.arrayBuffer()
          return response.status
        },
        () => 'unreachable' as const,
      ),
    async untilReadiness(status, timeoutMs = 10_000) {
      await vi.waitFor(async () => expect(await service.readiness()).toBe(status), {
        timeout: timeoutMs,
        interval: 20,
      })
    },
    expectUnharmed() {
      expect({ exitCode: child.exitCode, signal: child.signalCode }).toEqual({
        exitCode: null,
        signal: null,
      })
      const lines = started.output().split('\n').filter(Boolean)
      expect(lines.filter((line) => !line.startsWith('{"level":'))).toEqual([])
      expect(lines.filter((line) => ACCIDENT.test(line))).toEqual([])
    },
    end: (signal) => started.end(signal),
  }
  return service
}
