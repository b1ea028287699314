import { createRequire } from 'node:module'
import { withAppSettings } from '../../config/app-settings.js'
import { inspectConfig } from '../../config/config.js'
import { useOutgoingProxy } from '../../outgoing-proxy.js'
import {
  checkAdmission,
  checkConfiguration,
  checkCookies,
  checkKeys,
  checkOutgoingProxy,
  checkProxy,
  checkRedirectUris,
  checkVariables,
} from './configuration.js'
import { checkClients, checkProviders, checkProviderTokens } from './provider.js'
import { checkDatabase, checkSessionStore } from './stores.js'
import { type Check, type Examination, fail, type Finding, ok, report } from './finding.js'
import { checkLocalProvider, checkPort } from './port.js'

const { engines } = createRequire(import.meta.url)('@netscript/plugin-auth/package.json') as {
  engines: { node: string }
}

const checkNodeVersion: Check = () => [nodeFinding(process.versions.node)]

/** Checks that the package supports a Node version. */
export function nodeFinding(version: string, range = engines.node): Finding {
  const oldest = range.replace('>=', '')
  return version.localeCompare(oldest, 'en', { numeric: true }) < 0
    ? fail('NODE', `Node ${version} is too old.`, `Install Node ${oldest} or later.`)
    : ok('NODE', `Node ${version}.`)
}

const CHECKS: readonly Check[] = [
  checkNodeVersion,
  checkConfiguration,
  checkVariables,
  checkKeys,
  checkOutgoingProxy,
  checkProviders,
  checkClients,
  checkAdmission,
  checkRedirectUris,
  checkCookies,
  checkProxy,
  checkDatabase,
  checkSessionStore,
  checkProviderTokens,
  checkPort,
  checkLocalProvider,
]

/** Options of `netscript doctor`. */
interface DoctorOptions {
  json?: boolean
  /** Apply the rules of `netscript start`, as NODE_ENV=production does. */
  production?: boolean
}

/** `netscript doctor`: prints its findings; the exit code is 1 when a check fails. */
export async function doctor({ json, production = false }: DoctorOptions): Promise<void> {
  const findings = await examine(process.env, { production })
  const failed = findings.some(({ status }) => status === 'fail')
  console.log(json ? JSON.stringify({ ok: !failed, findings }, null, 2) : report(findings))
  if (failed) process.exitCode = 1
}

/** Runs all checks in parallel. */
export async function examine(
  environment: NodeJS.ProcessEnv,
  mode: { production: boolean },
): Promise<Finding[]> {
  const { env, problems } = appSettings(environment)
  const reading = inspectConfig(env, mode)
  const examination: Examination = {
    env,
    config: reading.config,
    problems: [...problems, ...reading.problems],
  }
  // checkOutgoingProxy reports an invalid proxy.
  const leaveProxy = await useOutgoingProxy(env).catch(() => undefined)
  try {
    const found = await Promise.all(CHECKS.map((check) => attempt(check, examination)))
    return found.flat()
  } finally {
    await leaveProxy?.()
  }
}

function appSettings(environment: NodeJS.ProcessEnv): {
  env: NodeJS.ProcessEnv
  problems: Error[]
} {
  try {
    return { env: withAppSettings(environment), problems: [] }
  } catch (error) {
    return { env: environment, problems: [error as Error] }
  }
}

/** A check that throws must not hide the findings of the other checks. */
async function attempt(check: Check, examination: Examination): Promise<Finding[]> {
  try {
    return await check(examination)
  } catch (error) {
    const { name, message } = error as Error
    return [fail('DOCTOR', `A check broke: ${name}: ${message}`, 'Please report this.')]
  }
}
