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
 * Starts tracing when a variable sets the endpoint; otherwise the library is not loaded. The variables
 * are those of the OpenTelemetry specification.
 *
 * @param proxy The proxy of other requests, which OpenTelemetry's exporter does not support.
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

/** The warning that traces bypass the proxy that applies to their endpoint. */
export function unproxiedTraces(variables: Variables, proxy: OutgoingProxy): string | undefined {
  const url = tracesUrl(variables)
  if (url === undefined || variables.OTEL_SDK_DISABLED || !isProxied(proxy, url)) return undefined
  const { hostname } = new URL(url)
  return `Traces do not go through the proxy ${proxyHosts(proxy)}: they are sent to ${hostname} directly. Add ${hostname} to NO_PROXY if it can be reached, or set OTEL_EXPORTER_OTLP_ENDPOINT to a collector that can.`
}

/** The endpoint for all signals is a base URL: traces have their own path below it. */
function tracesUrl({
  OTEL_EXPORTER_OTLP_ENDPOINT: base,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own,
}: Variables): string | undefined {
  if (own !== undefined) return own
  return base === undefined ? undefined : `${base.replace(/\/+$/, '')}/v1/traces`
}
