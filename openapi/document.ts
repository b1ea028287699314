import { accountContractV1 } from '../contract/account-contract.js'
import { authContractV1 } from '../contract/auth-contract.js'
import { createComponents } from './components.js'
import { operationOf, SESSION_COOKIE } from './operation.js'
import { OVERVIEW } from './overview.js'
import { type Contract, routesOf } from './routes.js'
import type { OpenApiDocument } from './specification.js'

export type { OpenApiDocument }

/** The version of the API: its first number is the one in the path. */
export const API_VERSION = '1.0.0'

/** The contracts that the document describes, each under a tag. */
export const DOCUMENTED: readonly { tag: string; description: string; contract: Contract }[] = [
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
  cookieName = '__Host-ns_session',
}: OpenApiOptions = {}): OpenApiDocument {
  const components = createComponents()
  const paths: OpenApiDocument['paths'] = {}
  for (const { tag, contract } of DOCUMENTED) {
    for (const named of routesOf(contract)) {
      const { path, method } = named.route
      const item = (paths[path.replaceAll(/:(\w+)/g, '{$1}')] ??= {})
      item[method.toLowerCase()] = operationOf(named, tag, components)
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'NetScript Auth',
      version: API_VERSION,
      summary: 'Sign-in, sign-out and sessions for applications in a browser.',
      description: OVERVIEW,
      license: { name: 'MIT License', identifier: 'MIT' },
    },
    servers: [{ url: serverUrl, description: 'This service' }],
    tags: DOCUMENTED.map(({ tag, description }) => ({ name: tag, description })),
    paths,
    components: {
      ...components.gathered(),
      securitySchemes: {
        [SESSION_COOKIE]: {
          type: 'apiKey',
          in: 'cookie',
          name: cookieName,
          description:
            'Set by the callback; the browser sends it by itself. It is HttpOnly: there is nothing to type in.',
        },
      },
    },
  }
}
