/**
 * An attack suite for your own deployment: what a hostile client or page can do to the HTTP surface, as
 * named cases that throw when an attack succeeds. It needs no test runner.
 *
 * @example
 * ```ts
 * import { attackSuite } from '@netscript/plugin-auth/attack'
 *
 * const suite = attackSuite({ baseUrl: 'https://auth.example.com', interactive: true })
 * for (const one of suite.cases) if (!one.skipped) await one.run()
 * suite.close()
 * ```
 *
 * @module
 */
export { attackSuite } from './suite.js'
export type { AttackCase, AttackTarget, SignedInUser } from './target.js'
