import type { AuthBackendCheck } from './check.js'
import { ACCOUNT_CHECKS } from './checks/accounts.js'
import { ANONYMOUS_CHECKS } from './checks/anonymous.js'
import { CAPABILITY_CHECKS } from './checks/capabilities.js'
import { CREDENTIAL_CHECKS } from './checks/credentials.js'
import { IDENTITY_CHECKS } from './checks/identity.js'
import { INTERACTIVE_CHECKS } from './checks/interactive.js'
import { OUTAGE_CHECKS } from './checks/outage.js'
import { PART_CHECKS } from './checks/parts.js'
import { PROVIDER_TOKEN_CHECKS } from './checks/provider-tokens.js'
import { ROLE_CHECKS } from './checks/roles.js'
import { SECRECY_CHECKS } from './checks/secrecy.js'
import { SELF_SERVICE_CHECKS } from './checks/self-service.js'
import { SESSION_CHECKS } from './checks/sessions.js'
import { SIGN_OUT_CHECKS } from './checks/sign-out.js'
import { STEP_UP_CHECKS } from './checks/step-up.js'

/** All checks, in the order in which they run. */
export const AUTH_BACKEND_CHECKS: readonly AuthBackendCheck[] = [
  ...CAPABILITY_CHECKS,
  ...ANONYMOUS_CHECKS,
  ...IDENTITY_CHECKS,
  ...CREDENTIAL_CHECKS,
  ...SIGN_OUT_CHECKS,
  ...SESSION_CHECKS,
  ...INTERACTIVE_CHECKS,
  ...STEP_UP_CHECKS,
  ...ACCOUNT_CHECKS,
  ...PROVIDER_TOKEN_CHECKS,
  ...ROLE_CHECKS,
  ...SELF_SERVICE_CHECKS,
  ...OUTAGE_CHECKS,
  ...SECRECY_CHECKS,
  ...PART_CHECKS,
]
