import type { OAuthProvider } from '@netscript/auth-kv-oauth'
import type { Variables } from './variables.js'

/** The configuration of the service, checked as a whole. */
export interface AuthConfig {
  /** All variables, read and checked. */
  readonly variables: Variables
  /** Whether production rules apply. */
  readonly production: boolean
  /** The address to listen on. */
  readonly host: string
  /** The providers of kv-oauth; empty when none is configured. */
  readonly providers: readonly OAuthProvider[]
  /** Whether the active backend stores data in the database, or tokens are issued. */
  readonly usesDatabase: boolean
  /** The service's own origin. */
  readonly origin: string
  /** Whether Swagger UI is served. */
  readonly docs: boolean
  /** Settings that work but are probably mistakes; logged at start. */
  readonly warnings: readonly string[]
}
