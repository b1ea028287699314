import { createHash, createHmac } from 'node:crypto'

/**
 * The users of the benchmark, by number. JavaScript and SQL derive the same values, so that one statement
 * fills a table with a million sessions and the cookie of each is known.
 */
export const SECRET = 'a secret that the benchmark shares with itself, 64 characters....'

export const subjectOf = (n) => `person-${String(n).padStart(7, '0')}`
export const emailOf = (n) => `${subjectOf(n)}@example.test`
/** An unguessable-looking id of 64 hexadecimal digits. */
export const idOf = (n) => createHash('sha256').update(`bench:${n}`).digest('hex')

/** The same values in SQL, from a column `n`. */
export const SQL = {
  subject: `('person-' || lpad(n::text, 7, '0'))`,
  email: `('person-' || lpad(n::text, 7, '0') || '@example.test')`,
  id: `encode(sha256(convert_to('bench:' || n, 'UTF8')), 'hex')`,
}

/** The session of a baseline, as large as the service's. */
export const SQL_SESSION = `json_build_object(
  'id', ${SQL.id}, 'userId', 'user-' || n, 'subject', ${SQL.subject}, 'providerId', 'oidc',
  'state', 'active', 'scopes', json_build_array('openid', 'profile', 'email'), 'roles', json_build_array(),
  'claims', json_build_object('sub', ${SQL.subject}, 'name', 'Person ' || n, 'email', ${SQL.email},
    'email_verified', true),
  'issuedAt', '2026-01-01T00:00:00.000Z', 'expiresAt', '2036-01-01T00:00:00.000Z')`

/** HMAC-SHA-256 with the secret of the benchmark. */
export const sign = (text) => createHmac('sha256', SECRET).update(text).digest('base64url')

/** `count` distinct numbers from 1 to `of`, the same in every run. */
export function pick(count, of) {
  const chosen = new Set()
  for (let n = 0; chosen.size < Math.min(count, of); n += 1) {
    chosen.add(1 + (createHash('sha256').update(`pick:${n}`).digest().readUInt32BE() % of))
  }
  return [...chosen]
}
