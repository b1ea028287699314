import { AuthError, type AuthLog, isAuthError } from '@netscript/plugin-auth-core'
import { withinTime } from '@netscript/plugin-auth-core/internal'
import { type AdmissionFacts, type AdmissionVerdict, factsOf, judge } from './admission.js'
import type { ProviderIdentity, RenewedClaims } from './identity.js'
import type { OAuthProvider } from './provider.js'
import { rolesBySource } from './session-roles.js'
import type { SessionRecord } from './session-store.js'

/** A user for {@link Admit} to decide on. */
export interface AdmissionCandidate {
  /** `refresh`: the provider renewed the tokens of a session. */
  readonly at: 'sign-in' | 'refresh'
  readonly providerId: string
  /** The issuer of the id_token, or the provider id for plain OAuth 2.0. */
  readonly issuer: string
  readonly subject: string
  readonly displayName?: string | undefined
  readonly email?: string | undefined
  /** As the provider says; `undefined` if it does not. */
  readonly emailVerified?: boolean | undefined
  /** The roles of the provider. */
  readonly roles: readonly string[]
  /** All claims at a sign-in; at a refresh those that the session stores, with the new ones. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** The result of {@link Admit}. */
export type AdmissionDecision =
  | {
      readonly allow: true
      /** Roles beside those of the provider. @default none */
      readonly roles?: readonly string[]
      /** The name to show. @default that of the provider */
      readonly displayName?: string
      /** Claims to store in the session beside those of the provider. @default none */
      readonly claims?: Readonly<Record<string, unknown>>
    }
  | {
      readonly allow: false
      /** For the log. The user does not see it. */
      readonly reason: string
    }

/**
 * Decides who may sign in, after the rules of the provider and before anything is stored. It has five
 * seconds. If it throws or takes longer, the sign-in is refused; at a refresh the session goes on, and
 * the decision is asked for again at the next one, for at most 24 hours: then the session ends.
 *
 * @example
 * ```ts
 * import type { Admit } from '@netscript/auth-kv-oauth'
 *
 * const ADMINS = ['ada@example.com']
 * const admit: Admit = ({ email = '', emailVerified }) => {
 *   if (!emailVerified) return { allow: false, reason: 'not verified' }
 *   return { allow: true, roles: ADMINS.includes(email) ? ['admin'] : [] }
 * }
 * ```
 */
export type Admit = (
  candidate: AdmissionCandidate,
) => AdmissionDecision | Promise<AdmissionDecision>

/** What a decision adds to a session. */
export type AdmissionGrant = Omit<Extract<AdmissionDecision, { allow: true }>, 'allow'>

/** The part of the context that admission needs. */
export interface AdmissionContext {
  /** Decides who may sign in, after the rules of the provider. */
  readonly admit?: Admit
  /** Where a refused user can ask for access. */
  readonly contact: string
  readonly log: AuthLog
}

const LIMIT_MS = 5_000

/**
 * Admits a user at the sign-in.
 * @throws AuthError `AUTH_NOT_ADMITTED`
 */
export async function assertAdmitted(
  context: AdmissionContext,
  provider: OAuthProvider,
  identity: ProviderIdentity,
): Promise<AdmissionGrant> {
  const { subject, claims, organizations } = identity
  const verdict = judge(provider, factsOf(subject, claims, organizations))
  if (verdict.outcome !== 'admitted') throw notAdmitted(context, new NotAdmittedError(verdict))
  if (!context.admit) return {}
  const decision = await decide(context.admit, {
    at: 'sign-in',
    providerId: provider.id,
    issuer: identity.issuer,
    subject,
    ...identity.profile,
    roles: identity.roles?.roles ?? [],
    claims,
  }).catch((cause: unknown) => {
    throw new AuthError(
      'AUTH_NOT_ADMITTED',
      'Whether this account may sign in could not be found out. Try again in a moment.',
      { cause },
    )
  })
  if (!decision.allow) {
    const cause = new NotAdmittedError({ outcome: 'refused', rule: 'admit' }, decision.reason)
    throw notAdmitted(context, cause)
  }
  return decision
}

/** A session that goes on. */
export interface Admitted {
  readonly grant: AdmissionGrant
  /** Whether the user info or the hook failed, so that there is no definite answer. */
  readonly isUndecided: boolean
}

/** Whether the rules of a provider need more than the id_token of a renewal has. */
export const needsMore = (
  provider: OAuthProvider,
  record: SessionRecord,
  told: RenewedClaims,
): boolean => judge(provider, factsAgain(record, told)).outcome === 'unknown'

/**
 * Judges a session again when the provider has renewed its tokens. Only a definite answer refuses:
 * what the provider does not say is not judged, and a hook that fails is asked at the next renewal.
 */
export async function admitAgain(
  { admit, log }: AdmissionContext,
  provider: OAuthProvider,
  record: SessionRecord,
  told: RenewedClaims,
): Promise<Admitted | 'refused'> {
  const { user, subject } = record
  const facts = factsAgain(record, told)
  const fields = { sessionId: record.id, provider: provider.id }
  const verdict = judge(provider, facts)
  if (verdict.outcome === 'refused') {
    log.info({ ...fields, rule: verdict.rule }, 'The rules no longer admit the user.')
    return 'refused'
  }
  const isUndecided = verdict.outcome === 'unknown' && told.failure !== undefined
  if (!admit) return { grant: {}, isUndecided }
  try {
    const decision = await decide(admit, {
      at: 'refresh',
      providerId: provider.id,
      issuer: record.issuer,
      subject,
      displayName: user.displayName,
      email: facts.email ?? user.email,
      emailVerified: facts.email === undefined ? user.emailVerified : facts.emailVerified,
      roles: rolesBySource(record).provider,
      claims: {
        ...record.claims,
        ...(facts.email !== undefined && { email_verified: facts.emailVerified }),
        ...told.claims,
      },
    })
    if (decision.allow) return { grant: { roles: [], ...decision }, isUndecided }
    log.info({ ...fields, rule: decision.reason.slice(0, 256) }, 'admit no longer admits the user.')
    return 'refused'
  } catch (err) {
    log.warn({ ...fields, err }, 'admit failed: the session goes on, and admit is asked again.')
    return { grant: {}, isUndecided: true }
  }
}

/** Addresses keep their verdict, and accounts their domain and tenant, unless the provider says more. */
function factsAgain(
  { subject, user, claims: stored }: SessionRecord,
  { claims, organizations }: RenewedClaims,
): AdmissionFacts {
  const isSame = claims?.email !== undefined && claims.email === user.email
  return factsOf(
    subject,
    {
      ...{ hd: stored.hd, tid: stored.tid },
      ...(isSame && { email_verified: user.emailVerified }),
      ...claims,
    },
    organizations,
  )
}

/**
 * Asks the hook within its time limit.
 * @throws what the hook throws, or an error about the time limit or the result
 */
export async function decide(
  admit: Admit,
  candidate: AdmissionCandidate,
): Promise<AdmissionDecision> {
  const decision: unknown = await withinTime('admit', LIMIT_MS, (async () => admit(candidate))())
  if (!isDecision(decision)) throw new TypeError('admit must return { allow: true } or false.')
  return decision
}

function isDecision(value: unknown): value is AdmissionDecision {
  if (typeof value !== 'object' || value === null) return false
  const { allow, roles = [], reason } = value as Record<'allow' | 'roles' | 'reason', unknown>
  return (
    (allow === false && isText(reason)) ||
    (allow === true && Array.isArray(roles) && roles.every(isText))
  )
}

const isText = (value: unknown): boolean => typeof value === 'string'

const notAdmitted = ({ contact }: AdmissionContext, cause: NotAdmittedError): AuthError =>
  new AuthError(
    'AUTH_NOT_ADMITTED',
    `You are signed in at the provider, but may not sign in here. Ask ${contact} for access.`,
    { cause },
  )

/** Why a user was not admitted, for the log. */
class NotAdmittedError extends Error {
  override readonly name = 'NotAdmittedError'
  /** The rule that refused. */
  readonly rule: string
  constructor({ outcome, rule }: Exclude<AdmissionVerdict, { outcome: 'admitted' }>, why?: string) {
    const what = outcome === 'unknown' ? 'The provider did not say what the rule needs' : 'Refused'
    super(`${what}: ${rule}${why === undefined ? '' : ` (${why.slice(0, 256)})`}.`)
    this.rule = rule
  }
}

/** Why the user was not admitted, for the log; `undefined` for other errors. */
export function refusedRule(error: unknown): { rule: string; err?: unknown } | undefined {
  if (!isAuthError(error) || error.code !== 'AUTH_NOT_ADMITTED') return undefined
  const { cause } = error
  return cause instanceof NotAdmittedError ? { rule: cause.message } : { rule: 'admit', err: cause }
}
