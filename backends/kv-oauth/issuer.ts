import type { OAuthProvider } from './provider.js'

const TENANT = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Exact, but for a `{tenantid}` in the expected one: Entra ID signs for all tenants with one key. */
export function isIssuer(expected: string, issuer: string): boolean {
  const [before = '', after] = expected.split('{tenantid}')
  if (after === undefined) return issuer === expected
  const tenant = issuer.slice(before.length, issuer.length - after.length)
  return TENANT.test(tenant) && issuer === `${before}${tenant}${after}`
}

/**
 * Whether an issuer can be the provider's, as far as its configuration tells: exactly the configured
 * one, but for the slash that a URL without a path may or may not end in, or one of its template.
 */
export function isIssuerOf(
  { issuer: configured, issuerTemplate }: OAuthProvider,
  issuer: string,
): boolean {
  if (configured === undefined) return false
  const { href } = new URL(configured)
  return [configured, href, href.replace(/\/$/, ''), issuerTemplate].some(
    (expected) => expected !== undefined && isIssuer(expected, issuer),
  )
}
