import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type OAuthProvider, presetNames } from '@netscript/auth-kv-oauth'
import { providersById } from '@netscript/auth-kv-oauth/internal'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { inspectConfig } from '../../config/config.js'
import {
  environmentWith,
  outsideOf,
  readEnvFile,
  readEnvVariables,
  setEnvVariables,
  writeEnvFile,
} from '../env-file.js'
import { free, table } from '../table.js'
import { print } from '../terminal.js'
import { backendChoice, lacking } from './backend.js'
import type { Output } from './operator.js'
import { type GivenProvider, keepsSecret, providerVariables } from './provider-variables.js'

/** Options of `netscript auth provider set`. */
export interface ProviderSetOptions extends Omit<GivenProvider, 'clientSecret'> {
  clientSecretStdin?: boolean
}

/** `netscript auth provider set`: writes .env only if the service accepts the result. */
export async function setProvider(id: string, options: ProviderSetOptions): Promise<void> {
  const oldText = await readEnvFile()
  // Report every other problem before prompting for the secret.
  plan(id, { ...options, clientSecret: 'not known yet' }, oldText)
  const current = environmentWith(oldText, oldText)
  const given = { ...options, ...(await secretOf(id, options, current)) }
  const { text, ...change } = plan(id, given, oldText)
  if (text !== oldText) await writeEnvFile(text)
  print(outcome(change))
}

/** The new .env and the configuration that the service reads from it. */
interface Change {
  id: string
  text: string
  env: NodeJS.ProcessEnv
  providers: readonly OAuthProvider[]
  /** Variables without effect, because the environment overrides them. */
  shadowed: readonly string[]
}

function plan(name: string, given: GivenProvider, oldText: string): Change {
  const file = readEnvVariables(oldText)
  const { variables, id } = providerVariables(name, given, environmentWith(oldText, oldText))
  // Don't write an empty value for a variable that the file does not have.
  const changes = Object.entries(variables).filter(([key, value]) => value !== '' || file[key])
  const text = setEnvVariables(oldText, Object.fromEntries(changes))
  const env = environmentWith(text, oldText)
  const outside = outsideOf(file)
  const shadowed = Object.keys(variables).filter((key) => outside[key]?.trim())
  return { id, text, env, providers: readAsTheServiceDoes(env), shadowed }
}

async function secretOf(
  id: string,
  options: ProviderSetOptions,
  current: NodeJS.ProcessEnv,
): Promise<Pick<GivenProvider, 'clientSecret'>> {
  if (options.publicClient) return {}
  if (!options.clientSecretStdin && keepsSecret(id, options, current)) return {}
  const clientSecret = await readClientSecret({ stdin: options.clientSecretStdin ?? false })
  return clientSecret === '' ? {} : { clientSecret }
}

/**
 * Reads the providers as the service does. The encryption key is set by another command, so a placeholder
 * is used here.
 */
function readAsTheServiceDoes(
  env: NodeJS.ProcessEnv,
  ifNot = 'Nothing was written.',
): readonly OAuthProvider[] {
  const key = env.NETSCRIPT_AUTH_KV_OAUTH_KEY?.trim() || randomBytes(32).toString('base64url')
  const { config, problems } = inspectConfig(
    { ...env, NETSCRIPT_AUTH_BACKEND: 'kv-oauth', NETSCRIPT_AUTH_KV_OAUTH_KEY: key },
    { production: false },
  )
  if (problems.length > 0) {
    const messages = problems.map(({ message }) => message)
    throw new AuthConfigurationError([ifNot, ...messages].join('\n'))
  }
  return config.providers.length === 0 ? [] : [...providersById(config.providers).values()]
}

/** `netscript auth provider list` */
export function listProviders({ json }: Output): void {
  const { backend } = backendChoice(process.env, {})
  const providers = readAsTheServiceDoes(process.env, 'The providers cannot be read.').map(
    ({ id, displayName, kind, issuer, redirectUri }) => ({
      ...{ id, displayName, kind, redirectUri },
      ...(issuer !== undefined && { issuer }),
    }),
  )
  if (json) return console.log(JSON.stringify({ backend, providers, presets: presetNames }))
  const rows = providers.map(({ id, displayName, kind, redirectUri }) => [
    id,
    free(displayName),
    kind,
    redirectUri,
  ])
  const configured =
    rows.length > 0
      ? table(['ID', 'NAME', 'PROTOCOL', 'REDIRECT URI'], rows)
      : 'No provider is configured. Configure one with: netscript auth provider set'
  const notice =
    backend === 'kv-oauth' ? [] : [`The active backend is ${backend}; it does not use these.`, '']
  print([...notice, configured, '', `Presets: ${presetNames.join(', ')}`].join('\n'))
}

function outcome({ id, providers, env, shadowed }: Omit<Change, 'text'>): string {
  const { backend } = backendChoice(env, {})
  return [
    `${id} is set in .env.`,
    ...providers.flatMap((provider) => [
      '',
      `Register exactly this redirect URI at ${provider.id}:`,
      `  ${provider.redirectUri}`,
      ...(provider.id === id ? [registrationHint(provider.id)] : []),
    ]),
    ...shadowed.map(
      (name) => `\n${name} is set in the environment too, which wins. Unset it there.`,
    ),
    ...(backend === 'kv-oauth'
      ? lacking('kv-oauth', env).flatMap(({ variable, how }) => ['', `Missing: ${variable}`, how])
      : ['', `The active backend is ${backend}. Run: netscript auth backend set kv-oauth`]),
  ].join('\n')
}

/** Where a provider's console asks for the redirect URI, and its restrictions. */
const HINTS: Readonly<Record<string, string>> = {
  github: 'Developer settings, OAuth Apps: "Authorization callback URL".',
  google: 'APIs & Services, Credentials: "Authorized redirect URIs".',
  gitlab: 'Preferences, Applications: "Redirect URI"; tick openid, profile and email.',
  discord: 'Developer Portal, OAuth2: "Redirects".',
  slack: 'OAuth & Permissions: "Redirect URLs"; Slack takes https only.',
  spotify: 'Dashboard, Settings: "Redirect URIs"; https, or http://127.0.0.1.',
  facebook: 'Facebook Login, Settings: "Valid OAuth Redirect URIs".',
  twitter: 'User authentication settings: "Callback URI / Redirect URL".',
  auth0: 'Applications, Settings: "Allowed Callback URLs".',
  okta: 'Applications, General: "Sign-in redirect URIs".',
  'aws-cognito': 'User pool, App clients: "Allowed callback URLs".',
  'azure-ad': 'App registrations, Authentication, Web: "Redirect URIs".',
  logto: 'Console, Applications: "Redirect URIs".',
  clerk: 'Dashboard, OAuth applications: "Redirect URI".',
}

/** Where to register a redirect URI at a provider, in at most 80 columns. */
export function registrationHint(id: string): string {
  return HINTS[id] ?? 'It is the "redirect URI" or "callback URL" of the client there.'
}

/**
 * Reads the client secret from standard input, or from a prompt that does not echo it. It is not an
 * option, because options end up in the shell history and in the process list.
 *
 * @returns `''` for a client without a secret.
 * @throws AuthConfigurationError when there is no terminal to prompt on.
 */
async function readClientSecret({ stdin }: { stdin: boolean }): Promise<string> {
  if (stdin) {
    const secret = (await text(process.stdin)).replace(/\r?\n$/, '')
    if (secret.trim() !== '') return secret
    throw new AuthConfigurationError(
      'There is no client secret on standard input. Send it there, or use --public-client.',
    )
  }
  if (process.stdin.isTTY) return prompt('Client secret (empty if the client has none): ')
  throw new AuthConfigurationError(
    'The client secret is missing. Send it on standard input with --client-secret-stdin, or use --public-client for a client that has none.',
  )
}

async function prompt(question: string): Promise<string> {
  process.stderr.write(question)
  // readline echoes input to its output stream, so give it one that discards everything.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  const stopped = new AbortController()
  lines.once('SIGINT', () => stopped.abort())
  lines.once('close', () => stopped.abort())
  try {
    return (await lines.question('', { signal: stopped.signal })).trim()
  } catch (cause) {
    throw new AuthConfigurationError('Stopped. Nothing was written.', { cause })
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
