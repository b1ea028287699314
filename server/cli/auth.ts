import type { Command } from 'commander'
import type { ProviderSetOptions } from './auth/provider.js'
import type { GenerateOptions } from './auth/secret.js'
import { SECRET_KINDS } from './auth/secret-kinds.js'
import type { AuditDeleteOptions } from './auth/audit.js'
import type { Output, PageOptions } from './auth/operator.js'
import type { ServiceKeyOptions } from './auth/service-keys.js'
import type { UserSearchOptions } from './auth/users.js'

/** Adds `netscript auth ...`. Each command imports its code when it runs. */
export function addAuthCommands(program: Command): void {
  const auth = program.command('auth').description('Backend, providers, secrets, sessions, users.')
  addBackendCommands(auth)
  addProviderCommands(auth)
  addSecretCommands(auth)
  addSessionCommands(auth)
  addUserCommands(auth)
  addServiceKeyCommands(auth)
  addAuditCommands(auth)
}

function addBackendCommands(auth: Command): void {
  const actions = () => import('./auth/backend.js')
  const backend = auth.command('backend').description('The identity backend.')
  backend
    .command('show')
    .description('Show the active backend, why it is active, and what each backend lacks.')
    .option('--json', 'print JSON')
    .action(async (output: Output) => (await actions()).showBackend(output))
  backend
    .command('set')
    .description('Choose the backend in .env.')
    .argument('<name>', 'kv-oauth, workos or better-auth')
    .action(async (name: string) => (await actions()).setBackend(name))
}

function addProviderCommands(auth: Command): void {
  const provider = auth.command('provider').description('The providers of the kv-oauth backend.')
  provider
    .command('list')
    .description('List the providers that are configured, and the presets there are.')
    .option('--json', 'print JSON')
    .action(async (output: Output) => (await import('./auth/provider.js')).listProviders(output))
  provider
    .command('set')
    .description('Configure a provider in .env; settings that are not given stay unchanged.')
    .argument('<provider>', 'a preset such as google, or an id of your own with --issuer')
    .option('--client-id <id>', 'the client id at the provider')
    .option('--client-secret-stdin', 'read the client secret from standard input')
    .option('--public-client', 'the client has no secret')
    .option('--redirect-uri <url>', 'default: the callback on http://localhost and PORT')
    .option('--issuer <url>', 'the issuer, where it is not that of the preset')
    .option('--discovery-url <url>', 'the metadata, where it is not at the issuer')
    .option(
      '--client-auth-method <method>',
      'client_secret_basic, client_secret_post or none; default: as the provider lists',
    )
    .option('--domain <domain>', 'your domain at auth0, okta, logto or clerk')
    .option('--tenant <id>', 'your tenant at azure-ad; default: common')
    .option('--region <region>', 'the region of aws-cognito')
    .option('--user-pool <id>', 'the user pool of aws-cognito')
    .option('--scopes <scopes>', 'separated by spaces; default: those of the preset')
    .option('--additional-scopes <scopes>', 'scopes that a sign-in may add; default: none')
    .option('--roles-claim <path>', 'the claim of roles; default: that of the preset, or roles')
    .option('--add', 'keep the providers that are configured')
    .action(async (id: string, options: ProviderSetOptions) =>
      (await import('./auth/provider.js')).setProvider(id, options),
    )
}

function addSecretCommands(auth: Command): void {
  auth
    .command('secret')
    .description('Secrets of the service.')
    .command('generate')
    .description('Print a new secret, or put it into .env.')
    .argument('[kind]', `one of: ${Object.keys(SECRET_KINDS).join(', ')}`, 'kv-oauth-key')
    .option('--write', 'put it into .env if none is there, and print nothing of it')
    .option('--append', 'put it at the end of the keyring in .env, to rotate the key')
    .action(async (kind: string, options: GenerateOptions) =>
      (await import('./auth/secret.js')).generateSecret(kind, options),
    )
}

function addSessionCommands(auth: Command): void {
  const actions = () => import('./auth/users.js')
  const session = auth.command('session').description('Sessions of the active backend.')
  session
    .command('list')
    .description('List the live sessions of a user, newest first.')
    .argument('<user-id>', 'the id that GET /me shows')
    .option('--limit <count>', 'sessions per page, at most 100', '100')
    .option('--cursor <cursor>', 'the next page, as the page before printed it')
    .option('--json', 'print JSON')
    .action(async (userId: string, options: PageOptions) =>
      (await actions()).listSessions(userId, options),
    )
  session
    .command('revoke')
    .description('End one session.')
    .argument('<session-id>')
    // One in 64 ids begins with a dash.
    .allowUnknownOption()
    .option('--json', 'print JSON')
    .action(async (sessionId: string, output: Output) =>
      (await actions()).revokeSession(sessionId, output),
    )
  session
    .command('revoke-all')
    .description('End all sessions of a user.')
    .argument('<user-id>', 'the id that GET /me shows')
    .option('--json', 'print JSON')
    .action(async (userId: string, output: Output) =>
      (await actions()).revokeSessions(userId, output),
    )
}

const USER_COMMANDS = [
  ['disable', 'Disable a user and end their sessions.'],
  ['enable', 'Let a disabled user sign in again.'],
  ['delete', 'Delete a user, their accounts and their sessions.'],
] as const

function addUserCommands(auth: Command): void {
  const actions = () => import('./auth/users.js')
  const user = auth.command('user').description('Users of the active backend.')
  const addSearch = (command: Command): Command =>
    command
      .option('--provider <id>', 'only users with an account at this provider')
      .option('--limit <count>', 'users per page, at most 100', '50')
      .option('--cursor <cursor>', 'the next page, as the page before printed it')
      .option('--json', 'print JSON')
  addSearch(user.command('find'))
    .description('Find users by e-mail address, name, user id or provider subject.')
    .argument('<text>', 'part of a name or address, or a complete id')
    .action(async (text: string, options: UserSearchOptions) =>
      (await actions()).findUsers(text, options),
    )
  addSearch(user.command('list'))
    .description('List users, newest first.')
    .action(async (options: UserSearchOptions) => (await actions()).findUsers(undefined, options))
  user
    .command('show')
    .description('Show a user: accounts, last sign-in, number of live sessions.')
    .argument('<user-id>', 'the id that GET /me shows')
    .option('--json', 'print JSON')
    .action(async (userId: string, output: Output) => (await actions()).showUser(userId, output))
  for (const [name, description] of USER_COMMANDS) {
    user
      .command(name)
      .description(description)
      .argument('<user-id>', 'the id that GET /me shows')
      .option('--json', 'print JSON')
      .action(async (userId: string, output: Output) =>
        (await actions()).changeUser(name, userId, output),
      )
  }
  addRoleCommands(user)
}

const ROLE_COMMANDS = [
  ['add', 'Give roles to a user, beside those of the provider, also in live sessions.'],
  ['remove', 'Take roles away that were given with add, also in live sessions.'],
] as const

function addRoleCommands(user: Command): void {
  const roles = user.command('roles').description('The roles that the operator gives a user.')
  for (const [name, description] of ROLE_COMMANDS) {
    roles
      .command(name)
      .description(description)
      .argument('<user-id>', 'the id that GET /me shows')
      .argument('<role...>')
      .option('--json', 'print JSON')
      .action(async (userId: string, given: string[], output: Output) =>
        (await import('./auth/users.js')).changeRoles(name, { userId, roles: given }, output),
      )
  }
}

function addServiceKeyCommands(auth: Command): void {
  const actions = () => import('./auth/service-keys.js')
  const key = auth
    .command('service-key')
    .description('Keys with which services request tokens of providers.')
  key
    .command('create')
    .description('Create a key and print it once. Two keys of a name can be valid.')
    .argument('<name>', 'the service, such as orders')
    .requiredOption('--audience <audience>', 'as in NETSCRIPT_AUTH_TOKEN_AUDIENCES')
    .requiredOption('--providers <ids>', 'the providers whose tokens it may request')
    .option('--scopes <scopes>', 'scopes that a token may have, beside those of the sign-in', '')
    .option('--json', 'print JSON')
    .action(async (name: string, options: ServiceKeyOptions) =>
      (await actions()).createKey(name, options),
    )
  key
    .command('list')
    .description('List the keys, without their secrets.')
    .option('--json', 'print JSON')
    .action(async (output: Output) => (await actions()).listKeys(output))
  key
    .command('revoke')
    .description('Revoke a key, in force at the next request.')
    .argument('<id>', 'the id that list shows')
    .option('--json', 'print JSON')
    .action(async (id: string, output: Output) => (await actions()).revokeKey(id, output))
}

function addAuditCommands(auth: Command): void {
  auth
    .command('audit')
    .description('The audit trail.')
    .command('delete')
    .description('Delete old audit events, as the role netscript_audit_retention.')
    .requiredOption('--before <date>', 'such as 2026-01-31, or with a time: 2026-01-31T00:00:00Z')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON')
    .action(async (options: AuditDeleteOptions) =>
      (await import('./auth/audit.js')).deleteOldAuditEvents(options),
    )
}
