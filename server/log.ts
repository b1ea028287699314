import { printable } from '@netscript/plugin-auth-core/internal'
import { type DestinationStream, type Logger, pino } from 'pino'

export type { Logger }

interface LoggedError {
  type: string
  code?: string
  message: string
  /** The provider's error response. */
  providerError?: string
  providerErrorDescription?: string
  stack?: string
  cause?: LoggedError
}

/**
 * Serializes an error with its causes, without other fields: libraries attach requests, parameters and
 * responses, which contain codes and tokens.
 */
export function serializeError(error: unknown, depth = 0): LoggedError | undefined {
  if (!(error instanceof Error)) return undefined
  const fields = error as Partial<Record<'code' | 'error' | 'error_description', unknown>>
  const { code, error: refusal, error_description: description } = fields
  const cause = depth < 4 ? serializeError(error.cause, depth + 1) : undefined
  // JSON.parse quotes its input in the message and stack, which may include a token.
  if (error instanceof SyntaxError) return { type: error.name, message: 'The text is malformed.' }
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === 'string' && { code }),
    ...(typeof refusal === 'string' && { providerError: printable(refusal) }),
    ...(typeof description === 'string' && { providerErrorDescription: printable(description) }),
    ...(error.stack !== undefined && { stack: error.stack }),
    ...(cause && { cause }),
  }
}

const serializeUnknown = (error: unknown): LoggedError | undefined => serializeError(error)

/** Maximum delay of a batched line, in milliseconds. */
const FLUSH_MS = 100
/** sonic-boom measures all it holds again for each line, so that larger batches cost more. */
const FLUSH_BYTES = 4_000

/**
 * Creates the service's logger: JSON lines on standard output, batched for at most 100 ms and flushed
 * when the process exits. `level` defaults to `info`.
 */
export function createLogger(
  level = 'info',
  destination: DestinationStream = pino.destination({
    sync: false,
    minLength: FLUSH_BYTES,
    periodicFlush: FLUSH_MS,
  }),
): Logger {
  const options = {
    level,
    base: null,
    serializers: { err: serializeUnknown },
  }
  return pino(options, destination)
}

/**
 * Creates a destination for terminals: one short line per entry, with the cause of an error.
 *
 * @param destination Default: standard output.
 */
export async function prettyDestination(
  destination?: DestinationStream,
): Promise<DestinationStream> {
  const pretty = await import('pino-pretty').then(
    (module) => module.default,
    // An optional peer: without it the lines are JSON.
    () => undefined,
  )
  if (!pretty) return destination ?? pino.destination({ sync: true })
  return pretty({
    ...(destination && { destination }),
    messageFormat: ({ msg, err }) => [msg, ...reasons(err as LoggedError | undefined)].join(' '),
    colorize: process.stdout.isTTY,
    ignore: 'requestId,res,req',
    translateTime: 'SYS:HH:MM:ss',
    hideObject: true,
    sync: true,
  })
}

function reasons(error: LoggedError | undefined): string[] {
  if (!error) return []
  const { message, providerError: code, providerErrorDescription: description } = error
  const said = [code, description].filter(Boolean).join(': ')
  return [said === '' ? `(${message})` : `(${message} ${said})`, ...reasons(error.cause)]
}
