/**
 * Internal to the packages of this repository; it may change in any release.
 *
 * @module
 */
export { problemOf, problemType } from './errors.js'
export { decodeForm } from './form.js'
export { ForwardAuthQuery, SIGN_IN_PAGE_PATH, SIGN_IN_URL_HEADER } from './forward-auth-contract.js'
export { BackChannelLogoutResponse } from './protocol-contract.js'
export {
  contractRoutes,
  type GuardMetadata,
  parseRecentAuth,
  parseRouteAuth,
  routeAuthOf,
} from './route.js'
export { PublicKey } from './token.js'
