import type { AuthBackendCapabilities } from './port.js'

/** Capabilities of a minimal backend, which only authenticates and signs out. Spread it to add more. */
export const NO_CAPABILITIES: AuthBackendCapabilities = {
  listSessions: false,
  revokeSessions: false,
  refresh: false,
  providerLogout: false,
}
