import { domainToASCII } from 'node:url'
import { verdictOf } from './claims.js'
import { readRoles } from './roles.js'

/**
 * Who may sign in at a provider. `emails`, `emailDomains` and `subjects` are alternatives: one of them
 * has to match. `groups`, `tenants` and `organizations` are further conditions: each that is set has to
 * match. `*` in a list means everyone. An empty list matches no one.
 *
 * An address counts only if the provider says that it is verified. Microsoft Entra never says so: use
 * `tenants` there. At Google a domain counts only for accounts that the domain manages (claim `hd`),
 * except gmail.com.
 */
export interface AdmissionRules {
  /** E-mail addresses, in any case of ASCII letters. */
  readonly emails?: readonly string[]
  /** Domains of e-mail addresses. A subdomain is another domain. */
  readonly emailDomains?: readonly string[]
  /** Provider subjects. */
  readonly subjects?: readonly string[]
  /** Groups, of which the user must be in one. */
  readonly groups?: readonly string[]
  /** Path of the claim that has the groups. @default 'groups' */
  readonly groupsClaim?: string
  /** Ids of Microsoft Entra tenants (claim `tid`). */
  readonly tenants?: readonly string[]
  /** GitHub organizations, of which the user must be a member. Needs the scope `read:org`. */
  readonly organizations?: readonly string[]
}

/** The lists of {@link AdmissionRules}. */
export const ADMISSION_LISTS = [
  'emails',
  'emailDomains',
  'subjects',
  'groups',
  'tenants',
  'organizations',
] as const
type AdmissionList = (typeof ADMISSION_LISTS)[number]

/** What is known about a user. A member that is `undefined` is unknown, not empty. */
export interface AdmissionFacts {
  readonly subject: string
  readonly email?: string | undefined
  readonly emailVerified?: boolean | undefined
  readonly claims: Readonly<Record<string, unknown>>
  /** The GitHub organizations of the user. */
  readonly organizations?: readonly string[] | undefined
}

/**
 * `refused`: what is known does not match. `unknown`: something that a rule needs is missing. `rule`
 * names the rule, for the log.
 */
export type AdmissionVerdict =
  | { readonly outcome: 'admitted' }
  | { readonly outcome: 'refused' | 'unknown'; readonly rule: string }

/** The part of a provider that rules are about. */
interface RuledProvider {
  readonly issuer?: string
  readonly isPublic?: true
  readonly admission?: AdmissionRules
}

const ADMITTED: AdmissionVerdict = { outcome: 'admitted' }
const GOOGLE = 'https://accounts.google.com'
/** The consumer domain of Google, which no organization manages. */
const UNMANAGED = 'gmail.com'

/** Whether anyone who can create an account at the provider may sign in, although no rule says so. */
export const admitsEveryone = ({ admission, isPublic }: RuledProvider): boolean =>
  isPublic === true && (!admission || ADMISSION_LISTS.every((name) => !admission[name]))

/** The warning about a provider that {@link admitsEveryone}. */
export const openProvider = ({ displayName, id }: { displayName: string; id: string }): string =>
  `Anyone with an account at ${displayName} can sign in. Say who may: set admission of the provider "${id}" (NETSCRIPT_AUTH_ALLOWED_EMAIL_DOMAINS and others), or "*" if everyone may.`

/** Judges a user by the rules of a provider. */
export function judge(provider: RuledProvider, facts: AdmissionFacts): AdmissionVerdict {
  const { admission: rules } = provider
  if (!rules) return ADMITTED
  const verdicts = [
    byIdentity(rules, provider.issuer === GOOGLE, facts),
    byMembership(rules, 'groups', groupsOf(rules, facts)),
    byMembership(rules, 'tenants', textList(facts.claims.tid)),
    byMembership(rules, 'organizations', facts.organizations),
  ]
  return (
    verdicts.find(({ outcome }) => outcome === 'refused') ??
    verdicts.find(({ outcome }) => outcome === 'unknown') ??
    ADMITTED
  )
}

/**
 * Judges a stored session by what it contains: subject, address and domain. Groups, tenants and
 * organizations are judged when the provider names them again.
 */
export function judgeStored(provider: RuledProvider, facts: AdmissionFacts): AdmissionVerdict {
  return provider.admission
    ? byIdentity(provider.admission, provider.issuer === GOOGLE, facts)
    : ADMITTED
}

function byIdentity(
  { emails, emailDomains, subjects }: AdmissionRules,
  isGoogle: boolean,
  { subject, email, emailVerified, claims }: AdmissionFacts,
): AdmissionVerdict {
  if (!emails && !emailDomains && !subjects) return ADMITTED
  if ([emails, emailDomains, subjects].some((list) => list?.includes('*'))) return ADMITTED
  if (subjects?.includes(subject)) return ADMITTED
  const rule = emails || emailDomains ? 'email' : 'subject'
  if (rule === 'subject') return { outcome: 'refused', rule }
  if (email === undefined) return { outcome: 'unknown', rule }
  if (emailVerified === undefined) return { outcome: 'unknown', rule: 'email-verified' }
  if (!emailVerified) return { outcome: 'refused', rule: 'email-verified' }
  const address = lowerCase(email)
  if (emails?.some((one) => lowerCase(one) === address)) return ADMITTED
  const [local, domain, ...more] = address.split('@')
  if (!local || !domain || more.length > 0) return { outcome: 'refused', rule }
  if (!emailDomains?.some((one) => isSameDomain(one, domain))) return { outcome: 'refused', rule }
  // A consumer account at Google may have a verified address of any domain.
  const isManaged =
    domain === UNMANAGED || (typeof claims.hd === 'string' && lowerCase(claims.hd) === domain)
  return isGoogle && !isManaged ? { outcome: 'refused', rule: 'hosted-domain' } : ADMITTED
}

function byMembership(
  rules: AdmissionRules,
  name: 'groups' | 'tenants' | 'organizations',
  found: readonly string[] | undefined,
): AdmissionVerdict {
  const allowed = rules[name]
  if (!allowed || allowed.includes('*')) return ADMITTED
  if (!found) return { outcome: 'unknown', rule: name }
  // GitHub compares names of organizations, and Entra ids of tenants, without regard to case.
  const same = name === 'groups' ? (text: string) => text : lowerCase
  const isMember = found.some((one) => allowed.some((other) => same(one) === same(other)))
  return isMember ? ADMITTED : { outcome: 'refused', rule: name }
}

/** Unknown when Entra moved the groups of a user with many to another address (`_claim_names`). */
function groupsOf(
  { groupsClaim = 'groups' }: AdmissionRules,
  { claims }: AdmissionFacts,
): readonly string[] | undefined {
  return readRoles(claims, groupsClaim)?.roles
}

const textList = (value: unknown): readonly string[] | undefined =>
  typeof value === 'string' && value !== '' ? [value] : undefined

/**
 * Compares domains exactly. A domain of other scripts may be written as such or in ASCII (RFC 3490),
 * but nothing is mapped, so that no look-alike of a letter counts as that letter.
 */
function isSameDomain(allowed: string, domain: string): boolean {
  return lowerCase(allowed) === domain || domainToASCII(allowed) === domain
}

/** ASCII letters only: other mappings have look-alikes, such as the Kelvin sign for k. */
const lowerCase = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())

/**
 * What is wrong with a list of rules, and the fix; `undefined` when nothing is.
 */
export function admissionProblem(
  name: AdmissionList,
  entries: readonly string[],
): string | undefined {
  const wrong = entries.find((entry) => entry !== '*' && !isEntry(name, entry))
  if (wrong === undefined) return undefined
  if (name === 'emails')
    return `has "${wrong}", which is not an address. Write it like a@example.com.`
  if (name === 'emailDomains') {
    return `has "${wrong}", which is not a domain. Write it like example.com, without @ and *.`
  }
  return 'has an empty entry. Remove it.'
}

function isEntry(name: AdmissionList, entry: string): boolean {
  if (name === 'emails') return /^[^@\s*]+@[^@\s*]+$/.test(entry)
  if (name === 'emailDomains') return domainToASCII(entry) !== '' && /^[^@\s*/:]+$/.test(entry)
  return entry.trim() !== ''
}

/** Facts from what a provider asserts. */
export function factsOf(
  subject: string,
  claims: Readonly<Record<string, unknown>>,
  organizations?: readonly string[],
): AdmissionFacts {
  return {
    subject,
    email: typeof claims.email === 'string' ? claims.email : undefined,
    emailVerified: verdictOf(claims.email_verified),
    claims,
    organizations,
  }
}
