import { withAppSettings } from '../config/app-settings.js'
import { createLogger, prettyDestination } from '../log.js'
import { type Development, startDevelopment } from '../local/development.js'
import { closeOnSignal } from './shutdown.js'
import { print } from './terminal.js'

/** `netscript dev`, which is what `npm start` runs. */
export async function development(): Promise<void> {
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
