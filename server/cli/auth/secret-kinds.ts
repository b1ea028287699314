/** A secret that can be generated. */
interface SecretKind {
  readonly bytes: number
  readonly variable: string
}

/** The service's secrets by their command-line names. */
export const SECRET_KINDS: Readonly<Record<string, SecretKind>> = {
  'kv-oauth-key': { bytes: 32, variable: 'NETSCRIPT_AUTH_KV_OAUTH_KEY' },
  'better-auth': { bytes: 48, variable: 'BETTER_AUTH_SECRET' },
  'workos-cookie': { bytes: 48, variable: 'WORKOS_COOKIE_PASSWORD' },
  'audit-salt': { bytes: 32, variable: 'NETSCRIPT_AUTH_AUDIT_SALT' },
}
