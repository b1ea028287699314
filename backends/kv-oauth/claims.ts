/**
 * The claims that a session may carry. Contact data beyond e-mail, protocol artefacts (nonce,
 * at_hash, aud, ...) and tokens are not among them.
 */
export const ALLOWED_CLAIMS = [
  'sub',
  'name',
  'given_name',
  'family_name',
  'middle_name',
  'nickname',
  'preferred_username',
  'profile',
  'picture',
  'website',
  'email',
  'email_verified',
  'locale',
  'zoneinfo',
  'updated_at',
  'auth_time',
  'acr',
  'amr',
  'groups',
  'roles',
  'hd',
  'tid',
  'oid',
  'org_id',
  'org_name',
  'org_role',
  'org_slug',
  'cognito:groups',
  'https://slack.com/team_id',
] as const

const MAX_TEXT = 1024
const MAX_ENTRIES = 100
const MAX_DEPTH = 3

/** Text without the characters that Postgres refuses in text and jsonb: NUL and lone surrogates. */
export function cleanText(text: string): string {
  return text.replace(/[\0\p{Surrogate}]/gu, '')
}

/**
 * Cuts claims to {@link ALLOWED_CLAIMS} and to what jsonb can hold. A claim is kept whole or not at
 * all: one with a text over 1,024 UTF-16 units, a list over 100 entries or more than three levels is
 * dropped, and then the largest ones until the rest fits.
 *
 * @param maxBytes The most that the result takes as JSON in UTF-8. Default: 4096.
 */
export function cutClaims(
  raw: Readonly<Record<string, unknown>>,
  maxBytes = 4096,
): Record<string, unknown> {
  const claims = ALLOWED_CLAIMS.flatMap((name): Claim[] => {
    const value = Object.hasOwn(raw, name) ? clean(raw[name], MAX_DEPTH) : undefined
    return value === undefined ? [] : [{ name, value, bytes: jsonBytes({ [name]: value }) - 1 }]
  })
  const bySize = [...claims].sort((a, b) => b.bytes - a.bytes)
  const dropped = new Set<Claim>()
  let total = 1 + claims.reduce((sum, claim) => sum + claim.bytes, 0)
  for (const claim of bySize) {
    if (total <= maxBytes) break
    dropped.add(claim)
    total -= claim.bytes
  }
  return Object.fromEntries(
    claims.filter((claim) => !dropped.has(claim)).map(({ name, value }) => [name, value]),
  )
}

interface Claim {
  name: string
  value: unknown
  /** The size of `"name":value` and one comma or brace. */
  bytes: number
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}

/** A copy that jsonb can hold, or `undefined` when there is none within the bounds. */
function clean(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.length > MAX_TEXT ? undefined : cleanText(value)
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (value === null) return depth === MAX_DEPTH ? undefined : null
  if (typeof value !== 'object' || depth === 0) return undefined
  if (Array.isArray(value)) {
    if (value.length > MAX_ENTRIES) return undefined
    const items = value.map((item: unknown) => clean(item, depth - 1))
    return items.includes(undefined) ? undefined : items
  }
  const entries = Object.entries(value)
  if (entries.length > MAX_ENTRIES) return undefined
  const copies = entries.map(([key, item]) => [cleanText(key), clean(item, depth - 1)] as const)
  const whole = copies.every(([key, item]) => item !== undefined && key !== '__proto__')
  return whole && copies.every(([key]) => key.length <= MAX_TEXT)
    ? Object.fromEntries(copies)
    : undefined
}
