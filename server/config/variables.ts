import { z } from 'zod'
import { databaseUrlProblem } from '@netscript/auth-database/internal'
import { CLIENT_AUTH_METHODS, isClaimPath } from '@netscript/auth-kv-oauth/internal'
import { flag, host, list, origin, port, seconds, trustProxy, url } from './variable-types.js'

/**
 * Every environment variable of the service. The order is that of the configuration table in the
 * README, which is generated from these descriptions. An empty value counts as not set.
 */
export const VARIABLES = {
  PORT: port.default(8094).describe('Port to listen on.'),
  NETSCRIPT_AUTH_HOST: host
    .optional()
    .describe('Address to listen on. Default: `127.0.0.1`; in production `0.0.0.0`.'),
  NETSCRIPT_AUTH_BACKEND: z
    .string()
    .default('kv-oauth')
    .describe('The identity backend: `kv-oauth`, `workos` or `better-auth`.'),
  NETSCRIPT_AUTH_ORIGIN: origin
    .optional()
    .describe(
      'The public origin. Default: that of the redirect URI; required in production without one.',
    ),
  DATABASE_URL: z
    .string()
    .superRefine((value, context) => {
      const message = databaseUrlProblem(value)
      if (message !== undefined) context.addIssue({ code: 'custom', message })
    })
    .optional()
    .describe('The Postgres database. Default: an embedded one; required in production.'),
  NETSCRIPT_AUTH_SESSION_STORE: z
    .string()
    .optional()
    .describe(
      'Redis for the sessions of kv-oauth, such as `redis://localhost:6379`; several URLs, separated by commas, are a cluster. Default: Postgres.',
    ),
  NETSCRIPT_AUTH_DATA_DIR: z
    .string()
    .default('.data')
    .describe('Where the embedded database and the development key live.'),
  NETSCRIPT_AUTH_KV_OAUTH_KEY: z
    .string()
    .optional()
    .describe(
      'Secret of kv-oauth: 32 bytes in base64url, or several separated by commas. The first signs, all open.',
    ),
  NETSCRIPT_AUTH_CLIENT_ID: z.string().optional().describe('Client id at the provider.'),
  NETSCRIPT_AUTH_CLIENT_SECRET: z.string().optional().describe('Client secret at the provider.'),
  NETSCRIPT_AUTH_REDIRECT_URI: url
    .optional()
    .describe(
      'The redirect URI registered at the provider; its origin is the service’s own, its path `/api/v1/auth/callback`. Each of several providers appends `/<id>`, unless it has a `NETSCRIPT_AUTH_<ID>_REDIRECT_URI`, which is sent as it is.',
    ),
  NETSCRIPT_AUTH_PROVIDER_ID: z
    .string()
    .optional()
    .describe(
      'A preset, or the id of your own provider. Default: `google`, or `oidc` with an issuer.',
    ),
  NETSCRIPT_AUTH_ISSUER: url.optional().describe('Issuer of your own OpenID provider.'),
  NETSCRIPT_AUTH_DISCOVERY_URL: url
    .optional()
    .describe(
      'Address of the metadata when it is not `/.well-known/openid-configuration` at the issuer, as at Azure AD B2C.',
    ),
  NETSCRIPT_AUTH_CLIENT_AUTH_METHOD: z
    .enum(CLIENT_AUTH_METHODS, { error: `must be one of ${CLIENT_AUTH_METHODS.join(', ')}` })
    .optional()
    .describe(
      'How the client authenticates: `client_secret_basic`, `client_secret_post` or `none`. Default: basic where the provider lists it or lists nothing, else post.',
    ),
  NETSCRIPT_AUTH_AUTHORIZATION_ENDPOINT: url
    .optional()
    .describe('Authorization endpoint of a provider without discovery.'),
  NETSCRIPT_AUTH_TOKEN_ENDPOINT: url
    .optional()
    .describe('Token endpoint of a provider without discovery.'),
  NETSCRIPT_AUTH_USERINFO_ENDPOINT: url
    .optional()
    .describe('Userinfo endpoint of a provider without discovery.'),
  NETSCRIPT_AUTH_SCOPES: list(z.string())
    .optional()
    .describe('Scopes to request, separated by spaces. Default: those of the preset.'),
  NETSCRIPT_AUTH_ADDITIONAL_SCOPES: list(z.string())
    .optional()
    .describe(
      'Scopes that `POST /signin` may request beyond those. Default: none, any other scope is refused.',
    ),
  NETSCRIPT_AUTH_ROLES_CLAIM: z
    .string()
    .refine(isClaimPath, 'must be the name of a claim, or names separated by dots')
    .optional()
    .describe(
      'Claim that has the roles of a user, such as `groups` or `realm_access.roles`. Default: that of the preset, or `roles` if there is one provider; of several, `NETSCRIPT_AUTH_<ID>_ROLES_CLAIM` says it.',
    ),
  NETSCRIPT_AUTH_STEP_UP: flag
    .optional()
    .describe(
      'Whether the provider enforces `max_age` and returns `auth_time`, which a step-up needs. Default: true for OpenID Connect, except the presets `google`, `slack`, `aws-cognito`, `azure-ad` and `clerk`.',
    ),
  NETSCRIPT_AUTH_ALLOWED_EMAILS: list(z.string())
    .optional()
    .describe(
      'E-mail addresses that may sign in with kv-oauth, if the provider has verified them. `*` is everyone. A variable of a provider, `NETSCRIPT_AUTH_<ID>_ALLOWED_EMAILS`, takes its place; so it is with the next six. Default: everyone with an account at the provider.',
    ),
  NETSCRIPT_AUTH_ALLOWED_EMAIL_DOMAINS: list(z.string())
    .optional()
    .describe(
      'Domains of verified e-mail addresses that may sign in, beside those addresses; at Google only accounts that the domain manages. `*` is everyone.',
    ),
  NETSCRIPT_AUTH_ALLOWED_SUBJECTS: list(z.string())
    .optional()
    .describe('Provider subjects that may sign in, beside those addresses and domains.'),
  NETSCRIPT_AUTH_ALLOWED_GROUPS: list(z.string(), /,/)
    .optional()
    .describe('Groups, separated by commas, of which a user must be in one.'),
  NETSCRIPT_AUTH_GROUPS_CLAIM: z
    .string()
    .refine(isClaimPath, 'must be the name of a claim, or names separated by dots')
    .optional()
    .describe('Claim that has the groups of a user. Default: `groups`.'),
  NETSCRIPT_AUTH_ALLOWED_TENANTS: list(z.string())
    .optional()
    .describe('Ids of the Microsoft Entra tenants whose users may sign in.'),
  NETSCRIPT_AUTH_ALLOWED_ORGANIZATIONS: list(z.string())
    .optional()
    .describe('GitHub organizations, of which a user must be a member of one.'),
  NETSCRIPT_AUTH_CONTACT: z
    .string()
    .max(200)
    .optional()
    .describe(
      'Contact that a rejected user can ask for access, such as an e-mail address. Default: the operator of this service.',
    ),
  NETSCRIPT_AUTH_PROVIDERS: list(z.string())
    .optional()
    .describe(
      'Several providers at once, such as `google,github`; each has its own `NETSCRIPT_AUTH_<ID>_CLIENT_ID` and so on.',
    ),
  NETSCRIPT_AUTH_ALLOWED_RETURN_TO: list(origin)
    .default([])
    .describe('Additional origins that are allowed as return targets.'),
  NETSCRIPT_AUTH_CORS_ORIGINS: list(origin)
    .default([])
    .describe(
      'Same-site origins whose pages may call the API with credentials. `netscript dev` with the local provider also accepts pages on this machine.',
    ),
  NETSCRIPT_AUTH_TRUST_PROXY: trustProxy
    .optional()
    .describe(
      'Proxies whose `X-Forwarded-*` headers count: a number of hops, or addresses (`10.0.0.0/8`, `loopback`). Default: none.',
    ),
  NETSCRIPT_AUTH_RATE_LIMIT: z.coerce
    .number({ error: 'must be a number of requests a minute' })
    .int()
    .min(1)
    .max(1_000_000)
    .default(120)
    .describe(
      'Sign-ins, callbacks, tokens and refused logout tokens, each, per minute and client: an IPv4 address or an IPv6 /64. A /56 has four times as many, a /48 sixteen times.',
    ),
  NETSCRIPT_AUTH_TOKEN_AUDIENCES: list(z.string().max(2048))
    .default([])
    .describe(
      'Services that `POST /token` issues tokens for, such as `https://orders.example.com`. Default: none.',
    ),
  NETSCRIPT_AUTH_PROVIDER_TOKENS: flag
    .default(false)
    .describe(
      '`POST /provider-token` returns the access token of a provider to services with a key of `netscript auth service-key create`.',
    ),
  NETSCRIPT_AUTH_COOKIE_NAME: z
    .string()
    .default('__Host-ns_session')
    .describe('Name of the session cookie.'),
  NETSCRIPT_AUTH_SESSION_IDLE_SECONDS: seconds(60)
    .default(86_400)
    .describe(
      'A session ends when it is not used for this long. The default is shorter where the absolute limit is.',
    ),
  NETSCRIPT_AUTH_SESSION_ABSOLUTE_SECONDS: seconds(60)
    .default(604_800)
    .describe('A session ends this long after the sign-in.'),
  NETSCRIPT_AUTH_SESSION_REFRESH_SECONDS: seconds(1)
    .optional()
    .describe(
      'Using a session extends it at most once in this time, of which at most a tenth of the idle limit counts. Default: `900`.',
    ),
  NETSCRIPT_AUTH_MAX_SESSIONS_PER_USER: z.coerce
    .number({ error: 'must be a number of sessions' })
    .int()
    .min(1)
    .max(1_000)
    .default(100)
    .describe(
      'Maximum live sessions per user. A sign-in beyond it ends the least recently used ones.',
    ),
  NETSCRIPT_AUTH_LOCAL_PROVIDER_PORT: port
    .default(9094)
    .describe('Port of the local provider that `netscript dev` starts when none is configured.'),
  NETSCRIPT_AUTH_AUDIT_SALT: z
    .string()
    .min(32, 'must have at least 32 characters')
    .optional()
    .describe(
      'Secret for the pseudonyms of users in the audit trail. Default: derived from the first key, so that the pseudonyms change with it.',
    ),
  NETSCRIPT_AUTH_DOCS: flag
    .optional()
    .describe('Serve Swagger UI at `/docs`. Default: true; in production false.'),
  NETSCRIPT_AUTH_LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'])
    .default('info')
    .describe('Lowest log level that is written.'),
  NETSCRIPT_AUTH_METRICS_PORT: port
    .optional()
    .describe('Port of `/metrics`, which no other port serves. Default: none.'),
  NETSCRIPT_AUTH_METRICS_HOST: host
    .default('127.0.0.1')
    .describe('Address that `/metrics` listens on. It needs no authentication.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: url
    .optional()
    .describe('Where traces are sent, by OTLP over HTTP with protobuf. Default: none.'),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url
    .optional()
    .describe(
      'The endpoint for traces, including the path. Default: `/v1/traces` below the endpoint.',
    ),
  OTEL_SERVICE_NAME: z
    .string()
    .default('netscript-auth')
    .describe('Name of the service in traces.'),
  OTEL_SDK_DISABLED: z
    .string()
    .optional()
    .transform((value) => value?.toLowerCase() === 'true')
    .describe('`true` disables traces, even with an endpoint.'),
  NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS: flag
    .default(false)
    .describe('Allow providers over http. INSECURE: for a provider on this machine.'),
  NETSCRIPT_AUTH_INSECURE_COOKIES: flag
    .default(false)
    .describe(
      'Allow a session cookie without the `__Host-` prefix. INSECURE: for Safari on http://localhost.',
    ),
  NETSCRIPT_AUTH_INSECURE_NO_RATE_LIMIT: flag
    .default(false)
    .describe('Do not limit sign-ins and callbacks. INSECURE: for load tests.'),
} as const

const SCHEMA = z.object(VARIABLES)

/** The parsed variables. */
export type Variables = z.output<typeof SCHEMA>

/** Names of the insecure switches that are on. */
export function insecureSwitches(variables: Variables): string[] {
  return Object.entries(variables)
    .filter(([name, value]) => name.includes('INSECURE') && value === true)
    .map(([name]) => name)
}

/** A problem of one variable, with its fix. */
export interface VariableIssue {
  variable: string
  message: string
}

/** Reads the variables; an empty one counts as not set. */
export function readVariables(
  env: NodeJS.ProcessEnv,
): { ok: true; variables: Variables } | { ok: false; issues: readonly VariableIssue[] } {
  const given = Object.fromEntries(
    Object.keys(VARIABLES).map((name) => [name, env[name]?.trim() || undefined]),
  )
  const result = SCHEMA.safeParse(given)
  if (result.success) return { ok: true, variables: withIdleDefault(result.data, given) }
  return {
    ok: false,
    issues: result.error.issues.map((issue) => ({
      variable: String(issue.path[0]),
      message: issue.message,
    })),
  }
}

/** When only the absolute limit is shortened, the default idle limit must not exceed it. */
function withIdleDefault(
  variables: Variables,
  given: Readonly<Record<string, string | undefined>>,
): Variables {
  if (given.NETSCRIPT_AUTH_SESSION_IDLE_SECONDS !== undefined) return variables
  const {
    NETSCRIPT_AUTH_SESSION_IDLE_SECONDS: idle,
    NETSCRIPT_AUTH_SESSION_ABSOLUTE_SECONDS: absolute,
  } = variables
  return { ...variables, NETSCRIPT_AUTH_SESSION_IDLE_SECONDS: Math.min(idle, absolute) }
}
