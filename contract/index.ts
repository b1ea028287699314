/**
 * The contracts of the authentication API (`authContractV1` and its extensions), their schemas and
 * the error table. It contains no server code and runs in browsers.
 *
 * @module
 */
export * from './auth-contract.js'
export * from './account-contract.js'
export * from './accounts.js'
export * from './protocol-contract.js'
export * from './provider-token.js'
export * from './service-contract.js'
export * from './signin.js'
export * from './callback.js'
export * from './describe.js'
export * from './errors.js'
export * from './form.js'
export * from './forward-auth-contract.js'
export * from './session.js'
export { type ContractRoute, contractRoutes, type RouteContract } from './route.js'
export * from './route-auth.js'
export * from './signout.js'
export * from './stored-user.js'
export * from './token.js'
