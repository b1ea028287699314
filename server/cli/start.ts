import { readConfig } from '../config/config.js'
import { createLogger } from '../log.js'
import { createAuthService } from '../service.js'
import { closeOnSignal } from './shutdown.js'

/** `netscript start` */
export async function start(): Promise<void> {
  const config = readConfig(process.env, { production: true })
  const logger = createLogger(config.variables.NETSCRIPT_AUTH_LOG_LEVEL)
  const service = await createAuthService({
    config,
    logger,
    databaseUrl: config.variables.DATABASE_URL ?? '',
  })
  closeOnSignal(() => service.close())
  logger.info({ url: service.url, origin: config.origin }, 'ready')
}
