import type { OAuthProvider } from './provider.js'

const TENANT = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Compares exactly, except for `{tenantid}`: Entra ID signs for all tenants with the same keys. */
export function isIssuer(expected: string, issuer: string): boolean {
  const [before = '', after] = expected.split('{tenantid}')
  if (after === undefined) return issuer === expected
  const tenant = issuer.slice(before.length, issuer.length - after.length)
  return TENANT.test(tenant) && issuer === `${before}${tenant}${after}`
}

/**
 * Whether an issuer matches the configuration of a provider: the configured issuer, with or without
 * the trailing slash of a URL without a path, or one that matches its template.
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
