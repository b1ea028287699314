import { withAppSettings } from '../config/app-settings.js'
import { readConfig } from '../config/config.js'
import { createLogger } from '../log.js'
import { createAuthService } from '../service.js'
import { closeOnSignal } from './shutdown.js'

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
