import { importPeer } from '@netscript/plugin-auth-core/internal'
import type { Variables } from '../config/variables.js'
import type { Logger } from '../log.js'
import { isProxied, type OutgoingProxy, proxyHosts } from '../outgoing-proxy.js'
import type { Tracing } from './tracing.js'

const OPEN_TELEMETRY = [
  '@opentelemetry/api',
  '@opentelemetry/core',
  '@opentelemetry/exporter-trace-otlp-proto',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-trace-base',
]

/**
 * Traces, when a variable says where to send them; without one the library is not even loaded. The
 * names are those of the OpenTelemetry specification.
 *
 * @param proxy What other requests go through. The exporter of OpenTelemetry does not support one.
 */
export async function startTracing(
  variables: Variables,
  logger: Logger,
  proxy?: OutgoingProxy,
): Promise<Tracing | undefined> {
  const url = tracesUrl(variables)
  if (url === undefined || variables.OTEL_SDK_DISABLED) return undefined
  const problem = proxy && unproxiedTraces(variables, proxy)
  if (problem !== undefined) logger.warn(problem)
  const { createTracing } = await importPeer(
    OPEN_TELEMETRY,
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    () => import('./tracing.js'),
  )
  return createTracing({ url, serviceName: variables.OTEL_SERVICE_NAME, logger })
}

/** The warning that traces do not go through a proxy that their address calls for. */
export function unproxiedTraces(variables: Variables, proxy: OutgoingProxy): string | undefined {
  const url = tracesUrl(variables)
  if (url === undefined || variables.OTEL_SDK_DISABLED || !isProxied(proxy, url)) return undefined
  const { hostname } = new URL(url)
  return `Traces do not go through the proxy ${proxyHosts(proxy)}: they are sent to ${hostname} directly. Add ${hostname} to NO_PROXY if it can be reached, or set OTEL_EXPORTER_OTLP_ENDPOINT to a collector that can.`
}

/** The endpoint for all signals is a base: traces have a path of their own below it. */
function tracesUrl({
  OTEL_EXPORTER_OTLP_ENDPOINT: base,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own,
}: Variables): string | undefined {
  if (own !== undefined) return own
  return base === undefined ? undefined : `${base.replace(/\/+$/, '')}/v1/traces`
}
