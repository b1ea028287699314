import type { IncomingMessage, ServerResponse } from 'node:http'
import { pathOf } from '@netscript/plugin-auth-core/internal'
import { type AuthApiOptions, createEngine } from '../engine/engine.js'
import { listenerOf } from './node-message.js'

/** The part of a Fastify instance that the plugin uses; typed structurally so that Fastify is not a dependency. */
interface FastifyHost {
  addHook(
    name: 'onRequest',
    hook: (
      request: { readonly raw: IncomingMessage },
      reply: { readonly raw: ServerResponse; hijack(): unknown },
      done: () => void,
    ) => void,
  ): unknown
}

/** A plugin for Fastify 4 and 5. */
type AuthPlugin = (instance: FastifyHost, options: unknown, done: () => void) => void

/**
 * Creates the authentication API as a Fastify plugin. It answers the paths of the API before Fastify
 * parses a body, and leaves all others to the application. The paths do not depend on the prefix of the
 * plugin. `onRequest` hooks that were added before it run first.
 *
 * @example
 * ```ts
 * const app = fastify()
 * await app.register(createAuthPlugin({ backend, origin: 'http://localhost:3000' }))
 * ```
 */
export function createAuthPlugin(options: AuthApiOptions): AuthPlugin {
  const engine = createEngine(options)
  const listener = listenerOf(engine)
  const plugin: AuthPlugin = (instance, _options, done) => {
    rootOf(instance).addHook('onRequest', ({ raw: req }, reply, next) => {
      if (!engine.serves(pathOf(req.url ?? '/'))) return next()
      reply.hijack()
      listener(req, reply.raw)
    })
    done()
  }
  return Object.assign(plugin, { [Symbol.for('fastify.display-name')]: 'netscript-auth' })
}

/**
 * An encapsulated instance inherits from its parent. Only hooks of the root run for a path without a
 * route, and for the routes of all other plugins.
 */
function rootOf(instance: FastifyHost): FastifyHost {
  const parent = Object.getPrototypeOf(instance) as FastifyHost | null
  return parent && 'addHook' in parent ? rootOf(parent) : instance
}
