import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import type { Answer } from './send.js'

/** Signs of internal details: stack traces, library names, SQL, file paths. */
const INSIDE = [
  /\n\s+at \S/,
  /node_modules|node:internal|\/server\/|\/backends\//,
  /\b(?:Syntax|Type|Range|Reference|URI|Zod|Aggregate|Assertion)Error\b/,
  /PrismaClient|pg_catalog|relation "|duplicate key|ECONNREFUSED|ENOTFOUND/,
  /\b(?:SELECT|INSERT INTO|DELETE FROM|UPDATE) \S+ /,
  /OAUTH_[A-Z_]+|openid-client|oauth4webapi|body-parser|raw-body|entity\.|better-call|iron-webcrypto/,
  /Unexpected (?:token|end of|string|number)|not valid JSON|Failed to decode|Cannot (?:GET|POST|read)/,
  /\[object Object\]/,
]

/** Asserts that a text for callers contains no internal details. */
export function assertNothingInside(text: string, where: string): void {
  for (const pattern of INSIDE) {
    assert.doesNotMatch(text, pattern, `${where} shows something of the inside`)
  }
}

/** Asserts what holds for every response under the prefix, whatever the request. */
export function assertAnswerRules(answer: Answer, where: string, isHttps: boolean): void {
  const { headers, status, text, setCookies } = answer
  assert.ok(status !== 500, `${where} answered 500: ${text}`)
  assertNothingInside(text, where)
  assert.equal(headers['x-powered-by'], undefined, `${where} tells what it runs on`)
  // A response from a proxy or the HTTP parser: the request never reached the service.
  if (headers['x-request-id'] === undefined && [400, 414, 431].includes(status)) return
  assertPrivate(headers, where)
  assertSecurityHeaders(headers, where, isHttps)
  for (const cookie of setCookies) assertSafeCookie(cookie, where, isHttps)
}

function assertPrivate(headers: IncomingHttpHeaders, where: string): void {
  assert.match(headers['cache-control'] ?? '', /\bno-store\b/, `${where} may be stored`)
  assert.match(headers.vary ?? '', /\bcookie\b/i, `${where} does not vary by cookie`)
  assert.equal(headers.etag, undefined, `${where} can be asked for again by its ETag`)
}

function assertSecurityHeaders(
  headers: IncomingHttpHeaders,
  where: string,
  isHttps: boolean,
): void {
  assert.equal(headers['x-content-type-options'], 'nosniff', `${where} may be sniffed`)
  assert.equal(headers['x-frame-options'], 'DENY', `${where} may be framed`)
  assert.match(
    String(headers['referrer-policy']),
    /^(?:no-referrer|same-origin)$/,
    `${where} tells its address to others`,
  )
  const policy = String(headers['content-security-policy'])
  for (const part of ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]) {
    assert.ok(policy.includes(part), `${where} has no ${part} in its policy`)
  }
  assert.ok(!policy.includes('unsafe-'), `${where} allows something unsafe in its policy`)
  if (isHttps) assert.match(String(headers['strict-transport-security']), /max-age=[1-9]/, where)
}

function assertSafeCookie(line: string, where: string, isHttps: boolean): void {
  assert.match(line, /;\s*HttpOnly/i, `${where} sets a cookie that scripts can read`)
  assert.match(line, /;\s*SameSite=(?:Lax|Strict)/i, `${where} sets a cookie for other sites`)
  assert.doesNotMatch(line, /;\s*Domain=/i, `${where} sets a cookie for sibling domains`)
  if (isHttps || /^__(?:Host|Secure)-/i.test(line)) {
    assert.match(line, /;\s*Secure/i, `${where} sets a cookie that travels in the clear`)
  }
  const pair = line.split(';', 1)[0] ?? ''
  assert.ok(pair.length <= 4096, `${where} sets a cookie that browsers drop (RFC 6265bis 5.6)`)
}
