import { AsyncLocalStorage } from 'node:async_hooks'
import type { RequestListener } from 'node:http'
import {
  type Context,
  defaultTextMapGetter,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace as spans,
} from '@opentelemetry/api'
import { setGlobalErrorHandler, W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { AuthTrace } from '@netscript/auth-kv-oauth'
import { codeOf, pathOf } from '@netscript/plugin-auth-core/internal'
import { routeKey } from '../handlers/routes.js'
import type { Logger } from '../log.js'

/** How long a shutdown waits for the last spans to be sent, in milliseconds. */
const FLUSH_MS = 3_000

/** Traces of the service. */
export interface Tracing extends AuthTrace {
  /** Wraps a listener with a span for each request of a route, as a child of the caller's span. */
  traced(listener: RequestListener): RequestListener
  /** Sends the remaining spans. */
  close(): Promise<void>
}

/** Options of {@link createTracing}. */
interface TracingOptions {
  /** OTLP/HTTP endpoint for spans. */
  url: string
  serviceName: string
  logger: Logger
}

/**
 * Creates OpenTelemetry tracing. It registers nothing globally, so it does not interfere with the
 * application's own tracing. The SDK reads the specification's variables for sampling, batches and
 * headers.
 */
export function createTracing({ url, serviceName, logger }: TracingOptions): Tracing {
  setGlobalErrorHandler((err) => logger.warn({ err }, 'Traces could not be sent.'))
  const provider = new BasicTracerProvider({
    resource: defaultResource().merge(resourceFromAttributes({ 'service.name': serviceName })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url }))],
  })
  const tracer = provider.getTracer('netscript-auth')
  const propagator = new W3CTraceContextPropagator()
  const underWay = new AsyncLocalStorage<Context>()

  return {
    async span(name, attributes, run) {
      const parent = underWay.getStore()
      // Work outside a request, such as a probe, is not traced.
      if (!parent) return run()
      const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, parent)
      try {
        return await underWay.run(spans.setSpan(parent, span), run)
      } catch (error) {
        // An error's text may contain secrets; its code is one of a few.
        span.setAttribute('error.type', codeOf(error))
        span.setStatus({ code: SpanStatusCode.ERROR })
        throw error
      } finally {
        span.end()
      }
    },
    annotate(attributes) {
      const current = underWay.getStore()
      if (current) spans.getSpan(current)?.setAttributes(attributes)
    },
    traced: (listener) => (req, res) => {
      const { method = '', url: target = '' } = req
      const route = routeKey(method, pathOf(target))
      if (route === undefined) return listener(req, res)
      const caller = propagator.extract(ROOT_CONTEXT, req.headers, defaultTextMapGetter)
      const attributes = { 'http.request.method': method }
      const span = tracer.startSpan(`auth.${route}`, { kind: SpanKind.SERVER, attributes }, caller)
      res.once('close', () => {
        span.setAttribute('http.response.status_code', res.statusCode)
        if (res.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
        if (!res.writableFinished) span.setAttribute('auth.caller_gone', true)
        span.end()
      })
      underWay.run(spans.setSpan(caller, span), () => listener(req, res))
    },
    async close() {
      let timer: NodeJS.Timeout | undefined
      const tooLate = new Promise<void>((resolve) => (timer = setTimeout(resolve, FLUSH_MS)))
      await Promise.race([provider.shutdown().catch(() => undefined), tooLate])
      clearTimeout(timer)
    },
  }
}
