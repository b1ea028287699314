import { setTimeout as delay } from 'node:timers/promises'
import { createClient, createCluster } from '@keyv/redis'
import { AuthConfigurationError, type AuthLog } from '@netscript/plugin-auth-core'
import { withinTime } from '@netscript/plugin-auth-core/internal'
import type { RedisTarget } from './redis-url.js'

type Cluster = ReturnType<typeof createCluster>

/** A client of one server. */
export type RedisServer = ReturnType<typeof createClient>
/** A client of one server or of a cluster. */
export type RedisClient = RedisServer | Cluster

/** Time limit for connecting, including the first response of the server, in milliseconds. */
const CONNECT_MS = 2_000
/** Time limit of a command, in milliseconds. */
const COMMAND_MS = 5_000
/** Interval of pings on an idle connection, in milliseconds. */
const PING_MS = 2_000
const RETRY_MIN_MS = 50
const RETRY_MAX_MS = 500

/** The connection to Redis that the stores share. */
export interface RedisConnection {
  /**
   * Returns the connected client.
   * @throws Error immediately without a connection: commands are not queued.
   */
  client(): RedisClient
  /** Runs commands on the client; rejects after 5 seconds. */
  run<T>(commands: (client: RedisClient) => Promise<T>): Promise<T>
  /** Runs a Lua script. Its keys must be in one slot. */
  script(text: string, keys: string[], values?: (string | number)[]): Promise<unknown>
  close(): Promise<void>
}

/**
 * Connects to Redis. A connection that breaks, or on which a command timed out, is replaced as a
 * whole: the client would wait forever on a connection that a firewall has dropped, and the cluster
 * client would not notice a failover if the old master never returns. Failed commands are not retried,
 * because they may have run.
 *
 * @throws Error when the first connection fails.
 */
export async function connectRedis(target: RedisTarget, log: AuthLog): Promise<RedisConnection> {
  const open = new Set<RedisClient>()
  let current: RedisClient | undefined
  let replacing = false
  let closed = false

  const connect = async (): Promise<RedisClient> => {
    const client = makeClient(target)
    open.add(client)
    let said: unknown
    const onError = (error: unknown): void => {
      said = error
      if (client === current) replace(error)
    }
    // Without a listener, an error would crash the process.
    client.on('error', onError).on('node-error', onError)
    try {
      // A server that accepts connections may still require a password, load its data or lack a node.
      await withinTime(
        'Redis',
        CONNECT_MS,
        client.connect().then(() => ping(client)),
      )
      return client
    } catch (error) {
      discard(client)
      // The cluster client throws that no node is available; the reason was an error event.
      throw said ?? error
    }
  }
  const discard = (client: RedisClient): void => {
    open.delete(client)
    destroy(client)
  }
  const replace = (err: unknown): void => {
    if (replacing || closed) return
    replacing = true
    log.warn({ err }, 'The connection to Redis broke.')
    const old = current
    // Keep using the other nodes of a cluster until the new connection is ready.
    if (!target.cluster) current = undefined
    void reconnect().then(() => {
      replacing = false
      // Pending commands on the old client may still complete, until their time limit.
      if (old) setTimeout(() => discard(old), COMMAND_MS).unref()
    })
  }
  const reconnect = async (): Promise<void> => {
    for (let pause = RETRY_MIN_MS; ; pause = Math.min(2 * pause, RETRY_MAX_MS)) {
      await delay(pause)
      if (closed) return
      try {
        const client = await connect()
        if (closed) return discard(client)
        current = client
        log.info({}, 'The connection to Redis is back.')
        return
      } catch {
        // Retry. Meanwhile client() throws.
      }
    }
  }

  current = await connect()
  const connection: RedisConnection = {
    client() {
      if (!current) throw new Error('There is no connection to Redis now.')
      return current
    },
    async run(commands) {
      const client = connection.client()
      try {
        return await withinTime('Redis', COMMAND_MS, commands(client))
      } catch (error) {
        if (client === current && isOfConnection(error)) replace(error)
        throw error
      }
    },
    script: (text, keys, values = []) =>
      connection.run((client) => client.eval(text, { keys, arguments: values.map(String) })),
    async close() {
      closed = true
      current = undefined
      for (const client of [...open]) discard(client)
    },
  }
  return connection
}

/** The servers with keys: the only one, or the masters of a cluster. */
export async function mastersOf(client: RedisClient): Promise<RedisServer[]> {
  if (!isCluster(client)) return [client]
  const masters = await Promise.all(client.masters.map((master) => client.nodeClient(master)))
  return masters
}

/** Pings all servers; rejects if one is unavailable. */
export async function ping(client: RedisClient): Promise<void> {
  await Promise.all((await mastersOf(client)).map((master) => master.ping()))
}

function makeClient({ cluster, urls }: RedisTarget): RedisClient {
  const options = {
    disableOfflineQueue: true,
    pingInterval: PING_MS,
    socket: {
      connectTimeout: CONNECT_MS,
      socketTimeout: COMMAND_MS,
      // The whole connection is replaced instead; see connectRedis.
      reconnectStrategy: false as const,
    },
  }
  const [first = ''] = urls
  if (!cluster) return createClient({ ...options, url: first })
  const { username, password, protocol } = new URL(first)
  return createCluster({
    rootNodes: urls.map((url) => ({ url })),
    // Discovered nodes do not inherit credentials and TLS from the URLs.
    defaults: {
      ...options,
      ...(username && { username: decodeURIComponent(username) }),
      ...(password && { password: decodeURIComponent(password) }),
      ...(protocol === 'rediss:' && { socket: { ...options.socket, tls: true as const } }),
    },
  })
}

const isCluster = (client: RedisClient): client is Cluster => 'slots' in client

/** Whether an error concerns the connection. Error replies of Redis start with an upper-case code. */
function isOfConnection(error: unknown): boolean {
  const { message } = error as Error
  return !/^[A-Z]{2,} /.test(message) || message.startsWith('READONLY ')
}

/** Destroys a client. The cluster client would stop at the first node that is already closed. */
function destroy(client: RedisClient): void {
  const parts = isCluster(client)
    ? [...client.masters.flatMap(({ client: node }) => node ?? []), client]
    : [client]
  for (const part of parts) {
    try {
      part.destroy()
    } catch {
      // Already closed.
    }
  }
}

/** The first version with SET PXAT and GETDEL. */
const OLDEST = [6, 2] as const

/**
 * Checks the durability settings of every master. A server that does not expose them, as some hosted
 * services do not, is accepted.
 *
 * @throws AuthConfigurationError when a server is too old.
 */
export async function checkRedisSettings(redis: RedisConnection, log: AuthLog): Promise<void> {
  const infos = await redis.run(async (client) =>
    Promise.all((await mastersOf(client)).map((master) => master.info().catch(() => ''))),
  )
  for (const info of infos.map(parse)) {
    const version = info.get('redis_version')
    if (version !== undefined && isTooOld(version)) {
      throw new AuthConfigurationError(
        `NETSCRIPT_AUTH_SESSION_STORE is a Redis ${version}. Use ${OLDEST.join('.')} or later, or Valkey.`,
      )
    }
    if (info.get('aof_enabled') === '0') {
      log.warn(
        { code: 'REDIS_NOT_DURABLE' },
        'Redis has appendonly off: after a restart sessions are lost, or come back that were ended.',
      )
    }
    const policy = info.get('maxmemory_policy') ?? 'noeviction'
    if (policy !== 'noeviction') {
      log.warn(
        { code: 'REDIS_EVICTS', policy },
        'Redis may throw sessions out when memory is short: set maxmemory-policy noeviction.',
      )
    }
  }
}

/** Parses the `name:value` lines of INFO. */
function parse(info: string): Map<string, string> {
  return new Map(
    info.split('\r\n').flatMap((line) => {
      const colon = line.indexOf(':')
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)]] : []
    }),
  )
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])
}
