/**
 * Claims that a session may store. Contact data beyond e-mail, protocol artefacts (nonce, at_hash,
 * aud, ...) and tokens are excluded. `auth_time` and `acr` are members of the session, verified.
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

/** Removes the characters that Postgres rejects in text and jsonb: NUL and lone surrogates. */
export function cleanText(text: string): string {
  return text.replace(/[\0\p{Surrogate}]/gu, '')
}

/**
 * Whether an e-mail address is verified. Some providers send a string instead of a boolean (Cognito,
 * Apple).
 */
export function verdictOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value
  const text = typeof value === 'string' ? value.toLowerCase() : undefined
  return text === 'true' ? true : text === 'false' ? false : undefined
}

/** The claims that fit, and the names of those that were dropped or shortened. */
interface CutClaims {
  readonly claims: Record<string, unknown>
  readonly cut: readonly string[]
}

/**
 * Cuts claims to {@link ALLOWED_CLAIMS} and to valid jsonb. A list, such as groups, keeps its first 100
 * items that fit. Other claims are kept completely or dropped: strings over 1,024 UTF-16 units and
 * objects over 100 members or three levels are dropped. Then the largest claims are cut until the rest
 * fits. `email_verified` is dropped together with the address.
 *
 * @param maxBytes Maximum size of the result as JSON in UTF-8. @default 4096
 * @param names The claims to keep. @default {@link ALLOWED_CLAIMS}
 */
export function cutClaims(
  raw: Readonly<Record<string, unknown>>,
  maxBytes = 4096,
  names: readonly string[] = ALLOWED_CLAIMS,
): CutClaims {
  const given = names.filter(
    (name) => Object.hasOwn(raw, name) && raw[name] !== undefined && raw[name] !== null,
  )
  const cut = new Set<string>()
  const claims = given.flatMap((name): Claim[] => {
    const value = Array.isArray(raw[name]) ? cleanList(raw[name]) : clean(raw[name], MAX_DEPTH)
    const isShorter = Array.isArray(value) && value.length < (raw[name] as unknown[]).length
    if (value === undefined || isShorter) cut.add(name)
    return value === undefined ? [] : [{ name, value, bytes: sizeOf(name, value) }]
  })
  let total = 1 + claims.reduce((sum, claim) => sum + claim.bytes, 0)
  for (const claim of [...claims].sort((a, b) => b.bytes - a.bytes)) {
    if (total <= maxBytes) break
    cut.add(claim.name)
    total -= claim.bytes
    shorten(claim, maxBytes - total)
    total += claim.bytes
  }
  const kept = new Map(
    claims.filter(({ bytes }) => bytes > 0).map(({ name, value }) => [name, value]),
  )
  if (!kept.has('email')) kept.delete('email_verified')
  return { claims: Object.fromEntries(kept), cut: [...cut] }
}

interface Claim {
  name: string
  value: unknown
  /** Zero for a dropped claim. */
  bytes: number
}

/** The size of `"name":value` and one comma or brace. */
function sizeOf(name: string, value: unknown): number {
  return Buffer.byteLength(JSON.stringify({ [name]: value })) - 1
}

/** Keeps the items of a list that fit; a claim that is not a list is dropped. */
function shorten(claim: Claim, room: number): void {
  const items: unknown[] = Array.isArray(claim.value) ? claim.value : []
  let bytes = sizeOf(claim.name, [])
  let kept = 0
  for (const item of items) {
    bytes += Buffer.byteLength(JSON.stringify(item)) + (kept > 0 ? 1 : 0)
    if (bytes > room) break
    kept += 1
  }
  claim.value = items.slice(0, kept)
  claim.bytes = kept > 0 ? sizeOf(claim.name, claim.value) : 0
}

/** The first items that are valid jsonb, or `undefined` if there is none. */
function cleanList(list: readonly unknown[]): unknown[] | undefined {
  const items = list.map((item) => clean(item, MAX_DEPTH - 1)).filter((item) => item !== undefined)
  return items.length === 0 && list.length > 0 ? undefined : items.slice(0, MAX_ENTRIES)
}

/** A copy that is valid jsonb, or `undefined` if it exceeds the limits. */
function clean(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.length > MAX_TEXT ? undefined : cleanText(value)
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (value === null) return null
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
