import type { Variables } from '../config/variables.js'
import type { Logger } from '../log.js'
import type { Tracing } from './tracing.js'

/**
 * Traces, when a variable says where to send them; without one the library is not even loaded. The
 * names are those of the OpenTelemetry specification.
 */
export async function startTracing(
  variables: Variables,
  logger: Logger,
): Promise<Tracing | undefined> {
  const url = tracesUrl(variables)
  if (url === undefined || variables.OTEL_SDK_DISABLED) return undefined
  const { createTracing } = await import('./tracing.js')
  return createTracing({ url, serviceName: variables.OTEL_SERVICE_NAME, logger })
}

/** The endpoint for all signals is a base: traces have a path of their own below it. */
function tracesUrl({
  OTEL_EXPORTER_OTLP_ENDPOINT: base,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own,
}: Variables): string | undefined {
  if (own !== undefined) return own
  return base === undefined ? undefined : `${base.replace(/\/+$/, '')}/v1/traces`
}
