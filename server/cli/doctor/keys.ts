import { AuthConfigurationError, parseKeyring } from '@netscript/plugin-auth-core'
import { importBetterAuth, importWorkos } from '../../backend-packages.js'
import { type Check, type Examination, failWith, type Finding, ok, warn } from './finding.js'

/** Checks that the secrets of the active backend are set and hard to guess. */
export const checkKeys: Check = async (examination) => {
  const { NETSCRIPT_AUTH_BACKEND: backend } = examination.config.variables
  try {
    if (backend === 'kv-oauth') return keyring(examination)
    if (backend === 'workos') return await workos(examination.env)
    return backend === 'better-auth' ? await betterAuth(examination.env) : []
  } catch (error) {
    if (!(error instanceof AuthConfigurationError)) throw error
    const [variable] = /\b[A-Z]+(_[A-Z]+)+\b/.exec(error.message) ?? []
    const isKnown =
      variable !== undefined &&
      examination.problems.some(({ message }) => message.includes(variable))
    return isKnown ? [] : [failWith('KEYS', error.message)]
  }
}

function keyring({ config, env }: Examination): Finding[] {
  const given = env.NETSCRIPT_AUTH_KV_OAUTH_KEY
  if (!given?.trim() && config.providers.length === 0) return []
  const { secrets } = parseKeyring(given)
  const weak = secrets.findIndex((secret) => !looksRandom(secret))
  if (weak !== -1) {
    return [
      warn(
        'KEYS',
        `Key ${weak + 1} of NETSCRIPT_AUTH_KV_OAUTH_KEY does not look random; anyone who guesses it can forge sessions.`,
        'Replace it with one of "netscript auth secret generate".',
      ),
    ]
  }
  if (new Set(secrets.map(String)).size < secrets.length) {
    return [
      warn(
        'KEYS',
        'NETSCRIPT_AUTH_KV_OAUTH_KEY holds one key twice.',
        'Take one of the two out, and roll that out.',
      ),
    ]
  }
  const more = secrets.length === 1 ? '1 key' : `${secrets.length} keys, of which the first signs`
  return [ok('KEYS', `NETSCRIPT_AUTH_KV_OAUTH_KEY holds ${more}.`)]
}

/** 32 random bytes have about 30 distinct values and are not all printable letters. */
function looksRandom(secret: Uint8Array): boolean {
  const isText = secret.every((byte) => byte >= 0x20 && byte < 0x7f)
  return new Set(secret).size >= 20 && !isText
}

async function workos(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const { workosOptionsFromEnv } = await importWorkos()
  workosOptionsFromEnv(env)
  return [ok('KEYS', 'The key, the client id and the cookie password of WorkOS are set.')]
}

async function betterAuth(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const { readSecret } = await importBetterAuth()
  readSecret(env)
  return [ok('KEYS', 'BETTER_AUTH_SECRET is long enough.')]
}
