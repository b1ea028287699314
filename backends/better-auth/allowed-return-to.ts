import type { BetterAuthInstance } from './context.js'

/** The id of this project's plugin in a better-auth instance. */
export const PLUGIN_ID = 'netscript-auth'

/** Origins, other than its own, that an instance may redirect browsers to. */
export function allowedReturnToOf({ options }: BetterAuthInstance): readonly string[] {
  const plugin = options.plugins?.find(({ id }) => id === PLUGIN_ID)
  const { allowedReturnTo = [] } = (plugin?.options ?? {}) as {
    allowedReturnTo?: readonly string[]
  }
  // Wildcard patterns and app schemes apply to the origin check only.
  const trusted = Array.isArray(options.trustedOrigins) ? options.trustedOrigins : []
  const origins = trusted.filter((entry) => URL.canParse(entry) && new URL(entry).origin === entry)
  return [...allowedReturnTo, ...origins]
}
