import { createRequire } from 'node:module'
import {
  accountContractV1,
  AUTH_ERRORS,
  authContractV1,
  discoveryContractV1,
  forwardAuthContractV1,
  protocolContractV1,
  serviceContractV1,
  type RouteContract,
} from '@netscript/auth-contract'
import { contractRoutes } from '@netscript/auth-contract/internal'
import { createComponents } from './components.js'
import { type Dialect, GUARDED_DIALECT, OWN_DIALECT } from './dialect.js'
import { BEARER_TOKEN, operationOf, SERVICE_KEY, SESSION_COOKIE } from './operation.js'
import type { InfoObject, OpenApiDocument, SecuritySchemeObject } from './specification.js'

export type { InfoObject, OpenApiDocument }

const { version } = createRequire(import.meta.url)('@netscript/auth-openapi/package.json') as {
  version: string
}

/** A contract and the tag of its operations. */
export interface TaggedContract {
  /** The name of the tag. */
  tag: string
  /** One sentence about the tag. */
  description: string
  /** A ts-rest contract. */
  contract: RouteContract
}

/** The contracts of the authentication service. */
export const DOCUMENTED: readonly TaggedContract[] = [
  {
    tag: 'Authentication',
    description: 'Sign in, sign out and read the session.',
    contract: authContractV1,
  },
  {
    tag: 'Account',
    description: 'Routes beyond the core five. Routes may be added within this version.',
    contract: accountContractV1,
  },
  {
    tag: 'Services',
    description: 'Routes for servers with a service key. Routes may be added within this version.',
    contract: serviceContractV1,
  },
  {
    tag: 'Reverse proxies',
    description: 'Routes for reverse proxies. Routes may be added within this version.',
    contract: forwardAuthContractV1,
  },
  {
    tag: 'Protocol',
    description: 'Routes besides the callback that providers call or redirect browsers to.',
    contract: protocolContractV1,
  },
  {
    tag: 'Discovery',
    description: 'Well-known documents at the root of the origin.',
    contract: discoveryContractV1,
  },
]

const PROBLEM_ROWS = Object.entries(AUTH_ERRORS)
  .map(([code, { status, title }]) => `| \`${code}\` | ${status} | ${title} |`)
  .join('\n')

/** The introduction of the document, in CommonMark. */
const OVERVIEW = `Tokens of the provider stay on the server; the browser holds one cookie that scripts cannot read.

### Signing in

1. \`POST /api/v1/auth/signin\` opens a transaction and returns the address of the provider.
2. The user signs in at the provider, which redirects the browser to \`GET /api/v1/auth/callback\`, which sets the session cookie.
3. \`GET /api/v1/auth/me\` returns the signed-in user. Without a session it still responds 200.

### Requests from other sites

A request that changes state is accepted when its \`Origin\` is the service's own or a listed one; without an \`Origin\`, when \`Sec-Fetch-Site\` is \`same-origin\` or \`none\`; without either, only as \`application/json\`.

### Problems

An error is a problem document (RFC 9457) with a stable \`code\`; a browser that navigates gets it as a page. Unknown addresses and methods are problems too.

| Code | Status | Title |
| --- | --- | --- |
${PROBLEM_ROWS}
`

/** Options of {@link createOpenApiDocument}. */
export interface OpenApiOptions {
  /** The origin of the service. @default 'http://localhost:8094' */
  serverUrl?: string
  /** The name of the session cookie. @default '__Host-ns_session' */
  cookieName?: string
}

/**
 * Creates the OpenAPI 3.1 document of the authentication service. It is deterministic, including the
 * order of keys.
 *
 * @throws Error when two different schemas of the contracts have the same id.
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
  return compose(
    { info, serverUrl, cookieName, contracts: DOCUMENTED, dialect: OWN_DIALECT },
    {
      [SERVICE_KEY]: {
        type: 'http',
        scheme: 'bearer',
        description: 'A key of a server, which the operator created: `nsk_...`.',
      },
    },
  )
}

/** Options of {@link createGuardedDocument}. */
export interface GuardedDocumentOptions {
  /** Title and version of the described service. */
  info: InfoObject
  /** The origin of the described service. */
  serverUrl: string
  /** Its contracts, each with a tag. */
  contracts: readonly TaggedContract[]
  /** The name of the session cookie. @default '__Host-ns_session' */
  cookieName?: string
}

/**
 * Creates the OpenAPI 3.1 document of a service behind the guards, from contracts whose routes
 * declare `metadata.auth`. `security` of each operation is what `guardContract` enforces.
 *
 * @throws Error when two different schemas have the same id, or `metadata.auth` is malformed.
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
  return compose(
    { info, serverUrl, cookieName, contracts, dialect: GUARDED_DIALECT },
    {
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

function compose(
  parts: Required<GuardedDocumentOptions> & { dialect: Dialect },
  credentials: Record<string, SecuritySchemeObject>,
): OpenApiDocument {
  const { info, serverUrl, cookieName, contracts, dialect } = parts
  const components = createComponents()
  const paths: OpenApiDocument['paths'] = {}
  for (const { tag, contract } of contracts) {
    for (const named of contractRoutes(contract)) {
      const [, { path, method }] = named
      const item = (paths[path.replaceAll(/:(\w+)/g, '{$1}')] ??= {})
      item[method.toLowerCase()] = operationOf(named, tag, components, dialect)
    }
  }
  return {
    openapi: '3.1.0',
    info,
    servers: [{ url: serverUrl, description: 'This service' }],
    tags: contracts.map(({ tag, description }) => ({ name: tag, description })),
    paths,
    components: {
      ...components.gathered(),
      securitySchemes: {
        [SESSION_COOKIE]: {
          type: 'apiKey',
          in: 'cookie',
          name: cookieName,
          description:
            'Set by the callback and sent by the browser. It is HttpOnly, so there is nothing to enter here.',
        },
        ...credentials,
      },
    },
  }
}
