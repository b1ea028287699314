import KeyvRedis from '@keyv/redis'
import Keyv from 'keyv'
import type { RedisClient, RedisConnection } from './redis-connection.js'

/** The prefix of all keys, followed by a colon. */
export const REDIS_NAMESPACE = 'ns'

/** An entry in the format that Keyv serializes. */
export interface KeyvEntry<Value> {
  readonly value: Value
  /** Milliseconds since the epoch. */
  readonly expires?: number | undefined
}

/** @keyv/redis on the shared connection. Entries expire by the clock of Redis. */
class SharedConnectionKeyvRedis extends KeyvRedis<unknown> {
  readonly #connection: RedisConnection

  constructor(connection: RedisConnection) {
    super(connection.client(), { keyPrefixSeparator: ':', throwOnErrors: true })
    this.#connection = connection
  }

  /** The base class would keep its original client and reconnect it. */
  override async getClient(): Promise<RedisClient> {
    return this.#connection.client()
  }

  override get<Value>(key: string): Promise<Value | undefined> {
    return this.#connection.run(() => super.get<Value>(key))
  }

  /** No MGET, because keys may be in different slots. The reads are pipelined. */
  override getMany<Value>(keys: string[]): Promise<(Value | undefined)[]> {
    return Promise.all(keys.map((key) => this.get<Value>(key)))
  }

  /**
   * Uses an absolute expiry. The base class would use a duration by the clock of this process, and
   * store entries without one forever.
   */
  override async set(key: string, value: string): Promise<void> {
    const { expires = 1 } = JSON.parse(value) as KeyvEntry<unknown>
    const name = this.createKeyPrefix(key, this.namespace)
    await this.#connection.run((client) =>
      client.set(name, value, { expiration: { type: 'PXAT', value: expires } }),
    )
  }

  override delete(key: string): Promise<boolean> {
    return this.#connection.run(() => super.delete(key))
  }

  /** Does nothing: the creator of the connection closes it. */
  override async disconnect(): Promise<void> {}
}

/**
 * Creates a Keyv on the shared connection that throws when Redis fails. The expiry is hidden from
 * Keyv, which would judge it by the clock of this process and delete entries on read.
 *
 * @param serialize @default JSON.stringify
 */
export function createRedisKeyv<Value>(
  connection: RedisConnection,
  serialize: (entry: KeyvEntry<Value>) => string = JSON.stringify,
): Keyv<Value> {
  return new Keyv<Value>({
    store: new SharedConnectionKeyvRedis(connection),
    namespace: REDIS_NAMESPACE,
    useKeyPrefix: false,
    throwOnErrors: true,
    emitErrors: false,
    serialize: (entry) => serialize(entry as unknown as KeyvEntry<Value>),
    deserialize: <T>(text: string) => ({ value: (JSON.parse(text) as { value: T }).value }),
  })
}
