import { createRequire } from 'node:module'
import {
  accountContractV1,
  authContractV1,
  discoveryContractV1,
  protocolContractV1,
  type RouteContract,
} from '@netscript/auth-contract'
import { createComponents } from './components.js'
import { type Dialect, GUARDED_DIALECT, OWN_DIALECT } from './dialect.js'
import { BEARER_TOKEN, operationOf, SESSION_COOKIE } from './operation.js'
import { OVERVIEW } from './overview.js'
import { routesOf } from './routes.js'
import type { InfoObject, OpenApiDocument, SecuritySchemeObject } from './specification.js'

export type { InfoObject, OpenApiDocument }

const { version } = createRequire(import.meta.url)('@netscript/auth-openapi/package.json') as {
  version: string
}

/** A contract and the tag under which its operations stand. */
export interface TaggedContract {
  /** The name of the group. */
  tag: string
  /** What the group is for, in a sentence. */
  description: string
  /** A ts-rest contract. */
  contract: RouteContract
}

/** The contracts of this service. */
export const DOCUMENTED: readonly TaggedContract[] = [
  {
    tag: 'Authentication',
    description: 'Sign in, sign out, and ask who is signed in.',
    contract: authContractV1,
  },
  {
    tag: 'Account',
    description: 'What goes beyond the five routes. It may grow within this version.',
    contract: accountContractV1,
  },
  {
    tag: 'Protocol',
    description: 'What providers call, and where they send browsers beside the callback.',
    contract: protocolContractV1,
  },
  {
    tag: 'Discovery',
    description: 'What others must find at the root of the origin.',
    contract: discoveryContractV1,
  },
]

/** Options of {@link createOpenApiDocument}. */
export interface OpenApiOptions {
  /** The origin of the service. Default: `http://localhost:8094`. */
  serverUrl?: string
  /** The name of the session cookie. Default: `__Host-ns_session`. */
  cookieName?: string
}

/**
 * The OpenAPI 3.1 document of the contracts. The same options give the same document, key by key.
 *
 * @throws Error when two different schemas of the contracts have one id.
 *
 * @example
 * ```ts
 * const document = createOpenApiDocument({ serverUrl: 'https://auth.example.com' })
 * document.paths['/api/v1/auth/me']?.get?.operationId // 'me'
 * ```
 */
export function createOpenApiDocument({
  serverUrl = 'http://localhost:8094',
  cookieName = SESSION_COOKIE_NAME,
}: OpenApiOptions = {}): OpenApiDocument {
  const info = {
    title: 'NetScript Auth',
    version,
    summary: 'Sign-in, sign-out and sessions for applications in a browser.',
    description: OVERVIEW,
    license: { name: 'MIT License', identifier: 'MIT' },
  }
  const server = { url: serverUrl, description: 'This service' }
  return compose(
    { info, server, contracts: DOCUMENTED, dialect: OWN_DIALECT },
    {
      [SESSION_COOKIE]: sessionCookie(cookieName),
    },
  )
}

/** Options of {@link createGuardedDocument}. */
export interface GuardedDocumentOptions {
  /** Title and version of the service that is described. */
  info: InfoObject
  /** The origin of the service that is described. */
  serverUrl: string
  /** Its contracts, each under a tag. */
  contracts: readonly TaggedContract[]
  /** The name of the session cookie. Default: `__Host-ns_session`. */
  cookieName?: string
}

/**
 * The OpenAPI 3.1 document of a service of others, from contracts whose routes say in
 * `metadata.auth` what they ask of their callers: its `security` is what `guardContract` enforces.
 *
 * @throws Error when two different schemas have one id, or a route says what cannot be understood.
 *
 * @example
 * ```ts
 * createGuardedDocument({
 *   info: { title: 'Orders', version: '1.0.0' },
 *   serverUrl: 'https://orders.example.com',
 *   contracts: [{ tag: 'Orders', description: 'What was ordered.', contract: ordersContract }],
 * })
 * ```
 */
export function createGuardedDocument({
  info,
  serverUrl,
  contracts,
  cookieName = SESSION_COOKIE_NAME,
}: GuardedDocumentOptions): OpenApiDocument {
  const server = { url: serverUrl, description: 'This service' }
  return compose(
    { info, server, contracts, dialect: GUARDED_DIALECT },
    {
      [SESSION_COOKIE]: sessionCookie(cookieName),
      [BEARER_TOKEN]: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'A token of the authentication service (RFC 6750).',
      },
    },
  )
}

const SESSION_COOKIE_NAME = '__Host-ns_session'

const sessionCookie = (name: string): SecuritySchemeObject => ({
  type: 'apiKey',
  in: 'cookie',
  name,
  description:
    'Set by the callback; the browser sends it by itself. It is HttpOnly: there is nothing to type in.',
})

function compose(
  parts: {
    info: InfoObject
    server: { url: string; description: string }
    contracts: readonly TaggedContract[]
    dialect: Dialect
  },
  securitySchemes: Record<string, SecuritySchemeObject>,
): OpenApiDocument {
  const { info, server, contracts, dialect } = parts
  const components = createComponents()
  const paths: OpenApiDocument['paths'] = {}
  for (const { tag, contract } of contracts) {
    for (const named of routesOf(contract)) {
      const { path, method } = named.route
      const item = (paths[path.replaceAll(/:(\w+)/g, '{$1}')] ??= {})
      item[method.toLowerCase()] = operationOf(named, tag, components, dialect)
    }
  }
  return {
    openapi: '3.1.0',
    info,
    servers: [server],
    tags: contracts.map(({ tag, description }) => ({ name: tag, description })),
    paths,
    components: { ...components.gathered(), securitySchemes },
  }
}
