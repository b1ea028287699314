/** An account of the local provider. */
export interface DemoAccount {
  /** The `sub` claim. */
  readonly id: string
  readonly name: string
  readonly email?: string
  /** Default: true. */
  readonly emailVerified?: boolean
  /** A BCP 47 language tag. Default: `en`. */
  readonly locale?: string
  /** Additional or overriding claims. */
  readonly claims?: Readonly<Record<string, unknown>>
}

/** The built-in accounts. One has no e-mail address, as real providers have such users. */
export const DEMO_ACCOUNTS: readonly DemoAccount[] = [
  { id: 'ada', name: 'Ada Lovelace', email: 'ada@example.test', locale: 'en-GB' },
  { id: 'grace', name: 'Grace Hopper', email: 'grace@example.test', locale: 'en-US' },
  { id: 'katherine', name: 'Katherine Johnson' },
]

/** Where the provider serves the picture of an account. */
export function picturePath(account: DemoAccount): string {
  return `/pictures/${encodeURIComponent(account.id)}.svg`
}

/** Which claims belong to which scope (OpenID Connect Core section 5.4). */
export const CLAIMS_BY_SCOPE = {
  openid: ['sub'],
  profile: ['name', 'picture', 'locale'],
  email: ['email', 'email_verified'],
}

/** The claims of an account; the provider limits them to the granted scopes. */
export function claimsOf(
  account: DemoAccount,
  issuer: string,
): Record<string, unknown> & { sub: string } {
  const { id, name, email, emailVerified = true, locale = 'en', claims } = account
  return {
    name,
    locale,
    picture: new URL(picturePath(account), issuer).href,
    ...(email !== undefined && { email, email_verified: emailVerified }),
    ...claims,
    sub: id,
  }
}
