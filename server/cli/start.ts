import { withAppSettings } from '../config/app-settings.js'
import { readConfig } from '../config/config.js'
import { createLogger, prettyDestination } from '../log.js'
import { createAuthService } from '../service.js'
import type { Development } from '../local/development.js'
import { print } from './terminal.js'

/** `netscript start` */
export async function start(): Promise<void> {
  const env = withAppSettings(process.env)
  const config = readConfig(env, { production: true })
  const { DATABASE_URL } = config.variables
  const logger = createLogger(config.variables.NETSCRIPT_AUTH_LOG_LEVEL)
  const service = await createAuthService({
    config,
    logger,
    env,
    ...(DATABASE_URL !== undefined && { databaseUrl: DATABASE_URL }),
  })
  closeOnSignal(() => service.close())
  logger.info({ url: service.url, origin: config.origin, metrics: service.metricsUrl }, 'ready')
}

/** `netscript dev`, which is what `npm start` runs. */
export async function development(): Promise<void> {
  const { startDevelopment } = await import('../local/development.js')
  const destination = await prettyDestination()
  const running = await startDevelopment({
    env: withAppSettings(process.env),
    logger: (level) => createLogger(level, destination),
    onProgress: print,
  })
  closeOnSignal(() => running.close())
  print(banner(running))
}

/** What runs, which parts are local stand-ins, and what to open; at most 80 columns. */
function banner({ config, demo, embeddedDatabase }: Development): string {
  const { variables, origin } = config
  const lines = [
    '',
    `  Sign-in is ready:  ${origin}`,
    ...(config.docs ? [`  Swagger UI:        ${origin}/docs`] : []),
    `  Backend:           ${variables.NETSCRIPT_AUTH_BACKEND}`,
    ...(config.usesDatabase
      ? [
          `  Database:          ${embeddedDatabase ? `embedded Postgres in ${variables.NETSCRIPT_AUTH_DATA_DIR}` : 'DATABASE_URL'}`,
        ]
      : []),
    ...(variables.NETSCRIPT_AUTH_SESSION_STORE === undefined
      ? []
      : ['  Sessions:          Redis (NETSCRIPT_AUTH_SESSION_STORE)']),
  ]
  if (demo) {
    lines.push(
      `  Provider:          local, ${demo.issuer}`,
      `                     accounts: ${demo.accounts.map(({ name }) => name).join(', ')}`,
      '',
      '  The local provider is for development on this machine. For a real one run',
      '  netscript auth provider set, or set NETSCRIPT_AUTH_CLIENT_ID, _CLIENT_SECRET,',
      '  _REDIRECT_URI and _KV_OAUTH_KEY.',
    )
  }
  return [...lines, ''].join('\n')
}

/** Closes on the first SIGINT or SIGTERM; a second one ends the process at once. */
export function closeOnSignal(close: () => Promise<void>): void {
  let closing = false
  const onSignal = (): void => {
    if (closing) process.exit(1)
    closing = true
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
}
