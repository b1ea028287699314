import type { BetterAuthInstance } from './context.js'

/** Names the plugin of this project among those of an instance. */
export const PLUGIN_ID = 'netscript-auth'

/** The origins besides its own that an instance may send browsers to. */
export function allowedReturnToOf({ options }: BetterAuthInstance): readonly string[] {
  const plugin = options.plugins?.find(({ id }) => id === PLUGIN_ID)
  const { allowedReturnTo = [] } = (plugin?.options ?? {}) as {
    allowedReturnTo?: readonly string[]
  }
  // Patterns and schemes of apps are for the origin check alone.
  const trusted = Array.isArray(options.trustedOrigins) ? options.trustedOrigins : []
  const origins = trusted.filter((entry) => URL.canParse(entry) && new URL(entry).origin === entry)
  return [...allowedReturnTo, ...origins]
}
