import { type AuthnRequest, singleCookie } from '@netscript/plugin-auth-core'

/** What a request brought along to say who is calling. */
export interface Credentials {
  /** The sealed session; absent when there was no cookie or more than one. */
  readonly sealed?: string
  readonly bearer?: string
  /** The `Authorization` header cannot be read. */
  readonly malformed: boolean
}

/** RFC 9110 section 11.4 with the token68 form that RFC 6750 section 2.1 uses. */
const BEARER = /^Bearer +([\w.~+/-]+=*)$/i
const OTHER_SCHEME = /^(?!Bearer\b)[\w!#$%&'*+.^`|~-]+ +\S/i

/**
 * Reads the credentials of a request. Another scheme in `Authorization` is none of ours: a proxy
 * with a password of its own sends it along.
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

/** Some libraries percent-encode cookie values and some do not; a seal itself contains no `%`. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
