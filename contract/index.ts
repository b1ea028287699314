/**
 * The contracts of the authentication API (`authContractV1` and its extensions), their schemas and
 * the error table. It contains no server code and runs in browsers.
 *
 * @module
 */
export * from './auth-contract.js'
export * from './account-contract.js'
export * from './accounts.js'
export {
  AUTH_ERRORS,
  type AuthErrorCode,
  type AuthErrorData,
  type AuthErrorStatus,
  ForbiddenData,
  type Problem,
  ProblemDocument,
  problems,
  ProviderErrorData,
  ProviderTokenData,
  RecentSignInData,
  ValidationErrorData,
} from './errors.js'
export { forwardAuthContractV1, IDENTITY_HEADERS } from './forward-auth-contract.js'
export { discoveryContractV1, protocolContractV1 } from './protocol-contract.js'
export type { ContractRoute, RecentAuth, RouteAuth, RouteContract } from './route.js'
export * from './service-contract.js'
export * from './session.js'
export {
  CallbackQuery,
  CallbackResponse,
  SigninInput,
  SigninResponse,
  SignoutInput,
  SignoutResponse,
} from './signin.js'
export { PublicKeySet, TokenInput, TokenResponse } from './token.js'
