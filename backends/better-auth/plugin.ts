import type { AuthContext, BetterAuthPlugin } from 'better-auth'
import { createReturnToPolicy } from '../return-to.js'
import type { BetterAuthInstance } from './context.js'

const ID = 'netscript-auth'

/** Options of {@link netscriptPlugin}. */
export interface NetscriptPluginOptions {
  /** The origin that users see. */
  readonly origin: string
  /** Further origins that browsers may be sent to. */
  readonly allowedReturnTo: readonly string[]
}

/** What this project changes in an instance of better-auth. */
export function netscriptPlugin(options: NetscriptPluginOptions): BetterAuthPlugin {
  const policy = createReturnToPolicy(options.origin, options.allowedReturnTo)
  return {
    id: ID,
    options,
    init({ isTrustedOrigin }) {
      return {
        context: {
          // better-auth allows relative paths when it asks about a redirect and not about an origin.
          isTrustedOrigin(
            this: AuthContext,
            ...[url, settings]: Parameters<typeof isTrustedOrigin>
          ) {
            return settings?.allowRelativePaths
              ? policy.allows(url)
              : isTrustedOrigin.call(this, url, settings)
          },
        },
      }
    },
  }
}

/** The origins besides its own that an instance may send browsers to. */
export function allowedReturnToOf({ options }: BetterAuthInstance): readonly string[] {
  const plugin = options.plugins?.find(({ id }) => id === ID)
  const { allowedReturnTo = [] } = (plugin?.options ?? {}) as Partial<NetscriptPluginOptions>
  // Patterns and schemes of apps are for the origin check alone.
  const trusted = Array.isArray(options.trustedOrigins) ? options.trustedOrigins : []
  const origins = trusted.filter((entry) => URL.canParse(entry) && new URL(entry).origin === entry)
  return [...allowedReturnTo, ...origins]
}
