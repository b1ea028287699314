import type { AuthBackendCapabilities } from './port.js'

/** A backend that can tell who is calling and sign them out, and nothing else: a start to spread. */
export const NO_CAPABILITIES: AuthBackendCapabilities = {
  interactive: false,
  listSessions: false,
  revokeSessions: false,
  refresh: false,
  providerLogout: false,
  backChannelLogout: false,
}
