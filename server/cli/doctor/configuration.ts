import { providersById } from '@netscript/auth-kv-oauth/internal'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { unknownVariables } from '../../config/unknown-variables.js'
import { type Check, failWith, type Finding, ok, warnWith } from './finding.js'

/** Checks that the service accepts the configuration; every problem is a finding. */
export const checkConfiguration: Check = ({ config, problems }) => {
  const { variables, providers, production, origin } = config
  const found: Finding[] = problems.map(({ message }) => failWith('CONFIGURATION', message))
  if (providers.length > 0) found.push(...providerIds(providers))
  if (found.length > 0) return found
  const backend = variables.NETSCRIPT_AUTH_BACKEND
  const who =
    backend !== 'kv-oauth'
      ? ''
      : `, ${providers.map(({ id }) => id).join(', ') || 'the local provider'}`
  const rules = production ? 'production' : 'development'
  return [ok('CONFIGURATION', `It reads, by the rules of ${rules}: ${backend}${who}, ${origin}.`)]
}

/** Finds variables that were meant for this service, judging by their names, but are not read. */
export const checkVariables: Check = ({ env, config }) =>
  unknownVariables(env, config.variables.NETSCRIPT_AUTH_PROVIDERS ?? []).map((text) =>
    warnWith('VARIABLES', text),
  )

function providerIds(providers: Parameters<typeof providersById>[0]): Finding[] {
  try {
    providersById(providers)
    return []
  } catch (error) {
    if (!(error instanceof AuthConfigurationError)) throw error
    return [failWith('CONFIGURATION', error.message)]
  }
}
