import { inspectRedis, parseRedisUrls, type RedisTarget } from '@netscript/auth-kv-oauth/internal'
import { AuthConfigurationError, type AuthLog, silentLog } from '@netscript/plugin-auth-core'
import { networkReason } from '@netscript/plugin-auth-core/internal'
import { type Check, fail, failWith, type Finding, ok, warn } from './finding.js'

/** Checks that the Redis session store, if configured, is reachable and persists what it is given. */
export const checkSessionStore: Check = async ({ config: { variables } }) => {
  const { NETSCRIPT_AUTH_SESSION_STORE: urls, NETSCRIPT_AUTH_BACKEND: backend } = variables
  if (urls === undefined || backend !== 'kv-oauth') return []
  const target = targetOf(urls)
  if (!target) return []
  try {
    return await examine(target)
  } catch (error) {
    return [
      error instanceof AuthConfigurationError
        ? failWith('SESSION_STORE', error.message)
        : unreachable(error),
    ]
  }
}

/** An invalid address is already a configuration problem. */
function targetOf(urls: string): RedisTarget | undefined {
  try {
    return parseRedisUrls(urls)
  } catch (error) {
    if (error instanceof AuthConfigurationError) return undefined
    throw error
  }
}

async function examine(target: RedisTarget): Promise<Finding[]> {
  const warnings: Finding[] = []
  const log: AuthLog = {
    ...silentLog,
    warn: (_fields, message) =>
      void warnings.push(warn('SESSION_STORE', message, 'Change that in redis.conf.')),
  }
  await inspectRedis(target, log)
  if (warnings.length > 0) return warnings
  return [ok('SESSION_STORE', 'The Redis of NETSCRIPT_AUTH_SESSION_STORE answers.')]
}

function unreachable(error: unknown): Finding {
  if (error instanceof Error && /^(WRONGPASS|NOAUTH|NOPERM)\b/.test(error.message)) {
    return fail(
      'SESSION_STORE',
      'Redis rejects the credentials of the service.',
      'Correct the user and the password in NETSCRIPT_AUTH_SESSION_STORE.',
    )
  }
  const { what, fix } = networkReason(error)
  return fail('SESSION_STORE', `The Redis of NETSCRIPT_AUTH_SESSION_STORE: ${what}.`, fix)
}
