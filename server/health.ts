import { Router } from 'express'
import type { AuthBackendPort } from '@netscript/plugin-auth-core'

/** Options of {@link healthRouter}. */
interface HealthOptions {
  backend: Pick<AuthBackendPort, 'name' | 'probe'>
  version: string
  /** True while the process drains before it exits: it is alive but accepts no new work. */
  draining: () => boolean
}

interface Check {
  name: string
  healthy: boolean
  latencyMs: number
}

/** /health/live reports the process; /health/ready and /health query the backend's store. */
export function healthRouter({ backend, version, draining }: HealthOptions): Router {
  const router = Router()
  router.use('/health', (_req, res, next) => {
    res.setHeader('Cache-Control', 'no-store')
    next()
  })

  router.get('/health/live', (_req, res) => {
    res.json({ status: 'ok' })
  })

  router.get('/health/ready', async (_req, res) => {
    const ready = !draining() && (await check(backend)).healthy
    if (!ready) res.setHeader('Retry-After', '2')
    res.status(ready ? 200 : 503).json({ ready })
  })

  router.get('/health', async (_req, res) => {
    const checks = [await check(backend)]
    const healthy = !draining() && checks.every((one) => one.healthy)
    res.status(healthy ? 200 : 503).json({
      status: healthy ? 'healthy' : 'unhealthy',
      timestamp: new Date().toISOString(),
      version,
      checks,
    })
  })

  return router
}

async function check(backend: HealthOptions['backend']): Promise<Check> {
  const began = performance.now()
  const healthy = await backend.probe().then(
    () => true,
    () => false,
  )
  return { name: backend.name, healthy, latencyMs: Math.round(performance.now() - began) }
}
