import { type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'

/** Where to listen. */
interface ListenOptions {
  port: number
  host: string
  /** Variable names for error messages. Default: `PORT` and `NETSCRIPT_AUTH_HOST`. */
  variables?: { port: string; host: string }
}

/**
 * Starts listening and returns the URL, such as `http://127.0.0.1:8094`.
 *
 * @throws AuthConfigurationError that names the variable to change.
 */
export function listen(server: Server, options: ListenOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException): void =>
      reject(toConfigurationError(cause, options))
    server.once('error', fail)
    server.listen(options.port, options.host, () => {
      server.off('error', fail)
      const { address, port, family } = server.address() as AddressInfo
      resolve(`http://${family === 'IPv6' ? `[${address}]` : address}:${port}`)
    })
  })
}

function toConfigurationError(
  cause: NodeJS.ErrnoException,
  { port, host, variables = { port: 'PORT', host: 'NETSCRIPT_AUTH_HOST' } }: ListenOptions,
): AuthConfigurationError {
  const problem =
    cause.code === 'EADDRINUSE'
      ? `Port ${port} is in use. Stop what uses it, or set ${variables.port} to another.`
      : cause.code === 'EACCES'
        ? `Port ${port} is for administrators only. Set ${variables.port} to 1024 or more.`
        : `The service cannot listen on ${host} (${cause.code ?? cause.message}). Set ${variables.host} to an address of this machine, such as 127.0.0.1, or to 0.0.0.0 for all of them.`
  return new AuthConfigurationError(problem, { cause })
}
