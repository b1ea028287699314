/** A weakness that somebody could put into the code, and the test that must notice. */
export interface Weakness {
  readonly name: string
  readonly file: string
  /** Stands in the file exactly once. */
  readonly find: string
  readonly replace: string
  readonly test: string
  /** A part of the name of a test that must fail. */
  readonly noticedBy: string
}

export const WEAKNESSES: readonly Weakness[] = [
  {
    name: 'any origin is a return target',
    file: 'backends/return-to.ts',
    find: 'origins.has(url.origin)',
    replace: 'url.origin',
    test: 'backends/return-to.test.ts',
    noticedBy: 'https://evil.example',
  },
  {
    name: 'the path of a return target is not decoded',
    file: 'backends/return-to.ts',
    find: 'return isSafePath(url.pathname) ? url : undefined',
    replace: 'return url',
    test: 'backends/return-to.test.ts',
    noticedBy: '/%5Cevil.example',
  },
  {
    name: 'any origin may change state',
    file: 'server/http/origin-check.ts',
    find: 'return allowedOrigins.has(origin)',
    replace: 'return true',
    test: 'server/http/origin-check.test.ts',
    noticedBy: 'another origin',
  },
  {
    name: 'the signature of a session token is not checked',
    file: 'backends/session-token.ts',
    find: 'return verify(keys, secret, signature) ? publicId(secret) : undefined',
    replace: 'return publicId(secret)',
    test: 'backends/session-token.test.ts',
    noticedBy: 'of which any character is changed',
  },
  {
    name: 'a sealed value opens for any purpose and id',
    file: 'backends/keyring.ts',
    find: 'decipher.setAAD(Buffer.from(`${purpose}\\0${boundTo}`)).setAuthTag(tag)',
    replace: 'decipher.setAuthTag(tag)',
    test: 'backends/keyring.test.ts',
    noticedBy: 'opens to what was sealed',
  },
  {
    name: 'of two cookies the first one counts',
    file: 'backends/request.ts',
    find: 'values.length === 1 ? values[0] : undefined',
    replace: 'values[0]',
    test: 'backends/request.test.ts',
    noticedBy: 'sent twice',
  },
  {
    name: 'a transaction can be taken with another state',
    file: 'backends/storage/postgres-transaction-store.ts',
    find: "(value::jsonb)->'value'->>'stateHash' = $2",
    replace: '$2::text IS NOT NULL',
    test: 'backends/storage/postgres-transaction-store.test.ts',
    noticedBy: 'for another state',
  },
  {
    name: 'a session is changed without comparing its version',
    file: 'backends/storage/postgres-session-store.ts',
    find: "((value::jsonb)->'value'->>'version')::int = $3",
    replace: '$3::int > 0',
    test: 'backends/storage/postgres-session-store.test.ts',
    noticedBy: 'one of many concurrent extensions',
  },
  {
    name: 'a disabled user can be signed in',
    file: 'backends/storage/keyv-postgres.ts',
    find: ' AND disabled_at IS NULL',
    replace: '',
    test: 'backends/storage/postgres-session-store.test.ts',
    noticedBy: 'for a disabled user',
  },
  {
    name: 'an expired session is still read',
    file: 'backends/storage/keyv-postgres.ts',
    find: 'WHERE key = ANY($1) AND expires_at > ${DATABASE_NOW_MS}',
    replace: 'WHERE key = ANY($1)',
    test: 'backends/storage/postgres-session-store.test.ts',
    noticedBy: 'does not show an expired session',
  },
  {
    name: 'the session that the browser brought lives on',
    file: 'backends/kv-oauth/callback.ts',
    find: '    await endPreviousSession(context, request)\n',
    replace: '',
    test: 'server/e2e/sign-in.test.ts',
    noticedBy: 'ends the session that the browser brought',
  },
  {
    name: 'the flow is not bound to the browser',
    file: 'backends/kv-oauth/transaction.ts',
    find: 'const secret = randomSecret()',
    replace: 'const secret = handle',
    test: 'server/e2e/attack/browser-secret.test.ts',
    noticedBy: 'is not in the address',
  },
  {
    name: 'the log shows queries',
    file: 'server/http/request-log.ts',
    find: 'pathOf(originalUrl ?? url)',
    replace: 'originalUrl ?? url',
    test: 'server/e2e/sign-in.test.ts',
    noticedBy: 'says nothing secret in its log',
  },
  {
    name: 'the answer of another provider is taken',
    file: 'backends/kv-oauth/callback.ts',
    find: "!provider || query.get('provider') !== expected",
    replace: '!provider || expected === undefined',
    test: 'server/e2e/oauth2.test.ts',
    noticedBy: 'began at the other',
  },
  {
    name: 'our own faults are shown',
    file: 'server/http/problem.ts',
    find: "'Try again; if it stays, report the request id.'",
    replace: 'String(error)',
    test: 'server/app.test.ts',
    noticedBy: 'says nothing of the reason',
  },
]
