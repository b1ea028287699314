import { setTimeout as delay } from 'node:timers/promises'
import { createClient, createCluster } from '@keyv/redis'
import type { AuthLog } from '@netscript/plugin-auth-core'
import type { RedisTarget } from './redis-url.js'

type Cluster = ReturnType<typeof createCluster>

/** A client of one server. */
export type RedisServer = ReturnType<typeof createClient>
/** A client of one server or of a cluster. */
export type RedisClient = RedisServer | Cluster

/** How long connecting may take, until the server has answered, in milliseconds. */
const CONNECT_MS = 2_000
/** How long a command may take, in milliseconds. */
const COMMAND_MS = 5_000
/** How often an idle connection is asked whether it still works, in milliseconds. */
const PING_MS = 2_000
const RETRY_MIN_MS = 50
const RETRY_MAX_MS = 500

/** The one way to Redis that the stores share. */
export interface RedisConnection {
  /**
   * The client that works now.
   * @throws Error at once when there is none: nothing is queued for later.
   */
  client(): RedisClient
  /** Runs commands on it; rejects when they take longer than 5 s. */
  run<T>(commands: (client: RedisClient) => Promise<T>): Promise<T>
  /** Runs a Lua script, whose keys must be in one slot. */
  script(text: string, keys: string[], values?: (string | number)[]): Promise<unknown>
  close(): Promise<void>
}

/**
 * Connects to Redis. A connection that breaks, or on which a command got no answer, is replaced as a
 * whole: the client alone would wait for ever on one that a firewall has forgotten, and the cluster
 * client would not notice a failover whose old master never returns. Commands that fail are not
 * repeated, since nobody knows whether they ran.
 *
 * @throws Error when the first connection cannot be made.
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
    // Without a listener an error would end the process.
    client.on('error', onError).on('node-error', onError)
    try {
      // What takes the connection may still want a password, read its data, or lack a node.
      await within(
        CONNECT_MS,
        client.connect().then(() => ping(client)),
      )
      return client
    } catch (error) {
      discard(client)
      // The cluster client throws that no node is available, and only says why.
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
    // The other nodes of a cluster go on answering until a new connection to all of them is there.
    if (!target.cluster) current = undefined
    void reconnect().then(() => {
      replacing = false
      // Whoever still waits for an answer on the old one gets it, or runs into the time limit.
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
        // Whoever asks meanwhile learns that there is none.
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
        return await within(COMMAND_MS, commands(client))
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

/** The servers that hold the keys: one, or the masters of a cluster. */
export async function mastersOf(client: RedisClient): Promise<RedisServer[]> {
  if (!isCluster(client)) return [client]
  const masters = await Promise.all(client.masters.map((master) => client.nodeClient(master)))
  return masters
}

/** Rejects when one of the servers does not answer. */
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
      // The whole connection is replaced instead.
      reconnectStrategy: false as const,
    },
  }
  const [first = ''] = urls
  if (!cluster) return createClient({ ...options, url: first })
  const { username, password, protocol } = new URL(first)
  return createCluster({
    rootNodes: urls.map((url) => ({ url })),
    // The nodes that are found know nothing of the URLs.
    defaults: {
      ...options,
      ...(username && { username: decodeURIComponent(username) }),
      ...(password && { password: decodeURIComponent(password) }),
      ...(protocol === 'rediss:' && { socket: { ...options.socket, tls: true as const } }),
    },
  })
}

const isCluster = (client: RedisClient): client is Cluster => 'slots' in client

/** Anything but an error that Redis answered with; those begin with a code in capitals. */
function isOfConnection(error: unknown): boolean {
  const { message } = error as Error
  return !/^[A-Z]{2,} /.test(message) || message.startsWith('READONLY ')
}

/** The cluster client would stop at the first node that is closed already. */
function destroy(client: RedisClient): void {
  const parts = isCluster(client)
    ? [...client.masters.flatMap(({ client: node }) => node ?? []), client]
    : [client]
  for (const part of parts) {
    try {
      part.destroy()
    } catch {
      // It was closed.
    }
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`Redis did not answer within ${ms} ms.`)), ms)
  })
  try {
    return await Promise.race([work, limit])
  } finally {
    clearTimeout(timer)
  }
}
