import type { z } from 'zod'
import { AUTH_PATH_PREFIX, type ContractRoute } from '@netscript/auth-contract'
import type { HandlerContext, HandlerRequest } from '../handlers/context.js'
import type { HeaderField, Reply } from './message.js'
import type { BodyTypes } from './body.js'

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined
type BodyOf<R> = R extends { body: infer Body } ? Parsed<Body> : undefined
type QueryOf<R> = R extends { query: infer Query } ? Parsed<Query> : undefined
type ParamsOf<R> = R extends { pathParams: infer Params } ? Parsed<Params> : undefined

/** A request's input as validated by the route's schemas. */
export interface RouteInput<R = unknown> {
  readonly params: ParamsOf<R>
  readonly query: QueryOf<R>
  readonly body: BodyOf<R>
  /** The query, duplicates included, without parameters that have no value. */
  readonly searchParams: URLSearchParams
}

type SuccessOf<R> = R extends { responses: infer Responses }
  ? {
      [Status in keyof Responses & number]: Responses[Status] extends z.ZodType
        ? Reply<Status, z.input<Responses[Status]>>
        : Reply<Status, undefined>
    }[keyof Responses & number]
  : never

/** Answers one route. An error of the contract is thrown as `AuthError`. */
type RouteHandler<R = ContractRoute> = (
  context: HandlerContext,
  request: HandlerRequest,
  input: RouteInput<R>,
) => SuccessOf<R> | Promise<SuccessOf<R>>

/** A handler for every route of a contract. */
type HandlersOf<C extends Readonly<Record<string, ContractRoute>>> = {
  readonly [K in keyof C]: RouteHandler<C[K]>
}

/** A rate limit of a route. */
export interface RouteLimit {
  /** The first segment of the path: routes below another share its limit. */
  readonly name: string
  /** Whether all requests count, or only those that fail. */
  readonly counts: 'requests' | 'failures'
}

/** A route that the engine serves. */
export interface EngineRoute {
  /** Its key in the contract, used as its name in logs and metrics. */
  readonly key: string
  readonly contract: ContractRoute
  readonly handle: RouteHandler<unknown>
  /** The bodies that it accepts; absent for none. */
  readonly body?: BodyTypes
  /** Whether browsers navigate to it; its errors are pages then. */
  readonly isPage: boolean
  /** Whether a request consumes something single-use, such as a code or a ticket. */
  readonly isSingleUse: boolean
  /** The rate limit per client; absent when the route has none. */
  readonly limit?: RouteLimit
  /** Headers of every error response of the route. @default none */
  readonly failureHeaders?: readonly HeaderField[]
}

/**
 * Combines the routes of a contract with their handlers. Behaviour is derived from the contract: browsers
 * navigate to a route with a redirect, one with a 303 accepts forms, a GET with a 303 is single-use, and a
 * route with a 429 is rate-limited.
 *
 * @param limitedByFailures Rate-limited routes for which only failed requests count.
 */
export function routesOf<C extends Readonly<Record<string, ContractRoute>>>(
  contract: C,
  handlers: HandlersOf<C>,
  limitedByFailures: readonly (keyof C)[] = [],
): readonly EngineRoute[] {
  return Object.entries(contract).map(([key, route]) => {
    const isFlow = 303 in route.responses
    const body = 'body' in route ? bodyTypes(route, isFlow) : undefined
    return {
      key,
      contract: route,
      handle: handlers[key] as RouteHandler<unknown>,
      isPage: isFlow || 302 in route.responses,
      isSingleUse: isFlow && route.method === 'GET',
      ...(429 in route.responses && {
        limit: {
          name: firstSegment(route.path),
          counts: limitedByFailures.includes(key) ? ('failures' as const) : ('requests' as const),
        },
      }),
      ...(body !== undefined && { body }),
    }
  })
}

/** `callback` of `/api/v1/auth/callback/:provider`. */
const firstSegment = (path: string): string =>
  path.slice(AUTH_PATH_PREFIX.length + 1).split('/', 1)[0] ?? ''

function bodyTypes(route: ContractRoute, isFlow: boolean): BodyTypes {
  if ('contentType' in route && route.contentType === 'application/x-www-form-urlencoded') {
    return 'form'
  }
  return isFlow ? 'json-or-form' : 'json'
}

/** A path that matches, with its routes by method. */
export interface RoutePath {
  /** For the `Allow` header. */
  readonly methods: readonly string[]
  readonly byMethod: ReadonlyMap<string, EngineRoute>
  /** Values of the path's parameters, undecoded. */
  readonly params: Readonly<Record<string, string>>
}

/** Finds the routes at a path, compared byte for byte: case and a trailing slash matter. */
type RouteMatcher = (path: string) => RoutePath | undefined

const NO_PARAMS = Object.freeze({})

/** Indexes routes by path. */
export function createRouteMatcher(routes: readonly EngineRoute[]): RouteMatcher {
  const paths = new Map<string, Map<string, EngineRoute>>()
  for (const route of routes) {
    const { path, method } = route.contract
    const byMethod = paths.get(path) ?? new Map<string, EngineRoute>()
    paths.set(path, byMethod.set(method, route))
    if (method === 'GET') byMethod.set('HEAD', route)
  }
  const exact = new Map<string, RoutePath>()
  const patterns: { pattern: RegExp; found: Omit<RoutePath, 'params'> }[] = []
  for (const [path, byMethod] of paths) {
    const found = { methods: [...byMethod.keys()], byMethod }
    if (!path.includes('/:')) exact.set(path, { ...found, params: NO_PARAMS })
    else {
      const pattern = path.replace(/:(\w+)/g, '(?<$1>[^/]+)')
      patterns.push({ pattern: new RegExp(`^${pattern}$`), found })
    }
  }
  return (path) => {
    const found = exact.get(path)
    if (found) return found
    for (const { pattern, found } of patterns) {
      const match = pattern.exec(path)
      if (match) return { ...found, params: match.groups ?? NO_PARAMS }
    }
    return undefined
  }
}
