import {
  accountContractV1,
  authContractV1,
  discoveryContractV1,
  forwardAuthContractV1,
  protocolContractV1,
  serviceContractV1,
} from '@netscript/auth-contract'
import type { AuthnRequest } from '@netscript/plugin-auth-core'
import { preferredType } from '../engine/message.js'
import { isForm } from '../engine/body.js'
import { createRouteMatcher, type RouteInput, routesOf } from '../engine/routes.js'
import { deleteUser, exportUser, listAccounts, unlinkAccount } from './accounts.js'
import { backChannelLogout, loggedOut, logout, signout } from './sign-out.js'
import { callback, describe, signin } from './sign-in.js'
import type { HandlerContext } from './context.js'
import { forwardAuth, NO_IDENTITY } from './forward-auth.js'
import { listSessions, me, revokeOtherSessions, revokeSession, session } from './session.js'
import { jwks, providerToken, token } from './token.js'

const postedAsForm = (request: AuthnRequest): { isForm: boolean } => ({
  isForm: isForm(request.header('content-type')),
})

const wantsJson = (request: AuthnRequest): boolean =>
  preferredType(request.header('accept'), ['text/html', 'application/json']) === 'application/json'

const completeSignIn = (
  context: HandlerContext,
  request: AuthnRequest,
  { searchParams }: Pick<RouteInput, 'searchParams'>,
): ReturnType<typeof callback> =>
  callback(context, request, searchParams, { wantsJson: wantsJson(request) })

/** Every route below the prefix of the API with its handler. */
export const apiRoutes = [
  ...routesOf(authContractV1, {
    signin: (context, request, { body }) => signin(context, request, body, postedAsForm(request)),
    signout: (context, request, { body }) => signout(context, request, body, postedAsForm(request)),
    callback: completeSignIn,
    session,
    me,
  }),
  ...routesOf(accountContractV1, {
    describe,
    sessions: (context, request, { query }) => listSessions(context, request, query),
    revokeSession: (context, request, { params }) => revokeSession(context, request, params.id),
    revokeOtherSessions,
    accounts: listAccounts,
    exportUser,
    deleteUser,
    unlinkAccount: (context, request, { params }) => unlinkAccount(context, request, params.id),
    token: (context, request, { body }) => token(context, request, body),
  }),
  ...routesOf(
    serviceContractV1,
    { providerToken: (context, request, { body }) => providerToken(context, request, body) },
    // All users of a service have its address.
    ['providerToken'],
  ),
  ...routesOf(forwardAuthContractV1, {
    forwardAuth: (context, request, { query }) => forwardAuth(context, request, query),
  }).map((route) => ({ ...route, failureHeaders: NO_IDENTITY })),
  ...routesOf(
    protocolContractV1,
    {
      // The backend compares the request's path with the redirect URI.
      providerCallback: completeSignIn,
      logout: (context, request, { query }) => logout(context, request, query.ticket),
      loggedOut: (context, request, { query }) => loggedOut(context, request, query.state),
      backChannelLogout: (context, _request, { body }) =>
        backChannelLogout(context, body.logout_token),
    },
    // A provider may send many valid logout tokens from one address.
    ['backChannelLogout'],
  ),
]

/** Well-known routes at the root of the origin. */
export const discoveryRoutes = routesOf(discoveryContractV1, { jwks })

const matchApi = createRouteMatcher(apiRoutes)

/** The contract key of a route; `undefined` when no route matches the method and path. */
export const routeKey = (method: string, path: string): string | undefined =>
  matchApi(path)?.byMethod.get(method)?.key
