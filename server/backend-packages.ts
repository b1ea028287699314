import { importPeer } from '@netscript/plugin-auth-core/internal'

// Apart from the types of the service, whose declarations must not need those of better-auth.

/** @throws AuthConfigurationError with the install command. */
export const importWorkos = () =>
  importPeer(
    ['@netscript/auth-workos'],
    'NETSCRIPT_AUTH_BACKEND=workos',
    () => import('@netscript/auth-workos'),
  )

/** @throws AuthConfigurationError with the install command. */
export const importBetterAuth = () =>
  importPeer(
    ['@netscript/auth-better-auth'],
    'NETSCRIPT_AUTH_BACKEND=better-auth',
    () => import('@netscript/auth-better-auth'),
  )
