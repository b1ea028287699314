import { type AuthnRequest, singleCookie } from '@netscript/plugin-auth-core'

/** The credentials of a request. */
export interface Credentials {
  /** The sealed session; absent without a cookie, or when it was sent more than once. */
  readonly sealed?: string
  readonly bearer?: string
  /** Whether the `Authorization` header is malformed. */
  readonly malformed: boolean
}

/** RFC 9110 section 11.4, with the token68 form of RFC 6750 section 2.1. */
const BEARER = /^Bearer +([\w.~+/-]+=*)$/i
const OTHER_SCHEME = /^(?!Bearer\b)[\w!#$%&'*+.^`|~-]+ +\S/i

/**
 * Reads the credentials of a request. Other `Authorization` schemes are ignored: a proxy with its own
 * password may forward its header.
 */
export function readCredentials(request: AuthnRequest, cookieName: string): Credentials {
  const header = request.header('authorization')?.trim() || undefined
  const bearer = header === undefined ? undefined : BEARER.exec(header)?.[1]
  const sealed = singleCookie(request, cookieName)
  return {
    malformed: header !== undefined && bearer === undefined && !OTHER_SCHEME.test(header),
    ...(bearer !== undefined && { bearer }),
    ...(sealed && { sealed: decoded(sealed) }),
  }
}

/** Some libraries percent-encode cookie values. A sealed session never contains `%`. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
