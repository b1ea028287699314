/**
 * The contracts of the authentication API (`authContractV1` and its extensions), their schemas and
 * the error table. It contains no server code and runs in browsers.
 *
 * @module
 */
export * from './auth-contract.js'
export * from './account-contract.js'
export * from './back-channel-logout.js'
export * from './callback.js'
export * from './describe.js'
export * from './discovery-contract.js'
export * from './errors.js'
export * from './form.js'
export * from './principal.js'
export * from './protocol-contract.js'
export { type ContractRoute, contractRoutes, type RouteContract } from './route.js'
export * from './route-auth.js'
export * from './session.js'
export * from './sessions.js'
export * from './signin.js'
export * from './signout.js'
export * from './token.js'
