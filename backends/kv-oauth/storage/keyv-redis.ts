import KeyvRedis from '@keyv/redis'
import Keyv from 'keyv'
import type { RedisClient, RedisConnection } from './redis-connection.js'

/** What all keys begin with, and a colon after it. */
export const REDIS_NAMESPACE = 'ns'

/** An entry as Keyv has it serialised. */
export interface KeyvEntry<Value> {
  readonly value: Value
  /** Milliseconds since the epoch. */
  readonly expires?: number | undefined
}

/** @keyv/redis on the shared connection; an entry ends by the clock of Redis. */
class SharedConnectionKeyvRedis extends KeyvRedis<unknown> {
  readonly #connection: RedisConnection

  constructor(connection: RedisConnection) {
    super(connection.client(), { keyPrefixSeparator: ':', throwOnErrors: true })
    this.#connection = connection
  }

  /** The base class would keep the client it was made with, and connect it again by itself. */
  override async getClient(): Promise<RedisClient> {
    return this.#connection.client()
  }

  override get<Value>(key: string): Promise<Value | undefined> {
    return this.#connection.run(() => super.get<Value>(key))
  }

  /** The keys may be in different slots, so there is no MGET; what is asked together goes together. */
  override getMany<Value>(keys: string[]): Promise<(Value | undefined)[]> {
    return Promise.all(keys.map((key) => this.get<Value>(key)))
  }

  /**
   * The base class would give Redis a duration, counted by the clock of this process, and keep an
   * entry without one for ever.
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

  /** The connection belongs to whoever made it. */
  override async disconnect(): Promise<void> {}
}

/**
 * A Keyv over the shared connection that throws when Redis fails. Keyv is not told when an entry
 * expires: it would judge by this process's clock and delete on a read.
 *
 * @param serialize Default: JSON of the entry.
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
