import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'

/**
 * Reads the client secret from standard input, or from a prompt that does not echo it. It is not an
 * option, because options end up in the shell history and in the process list.
 *
 * @returns `''` for a client without a secret.
 * @throws AuthConfigurationError when there is no terminal to prompt on.
 */
export async function readClientSecret({ stdin }: { stdin: boolean }): Promise<string> {
  if (stdin) {
    const secret = (await text(process.stdin)).replace(/\r?\n$/, '')
    if (secret.trim() !== '') return secret
    throw new AuthConfigurationError(
      'There is no client secret on standard input. Send it there, or use --public-client.',
    )
  }
  if (process.stdin.isTTY) return prompt('Client secret (empty if the client has none): ')
  throw new AuthConfigurationError(
    'The client secret is missing. Send it on standard input with --client-secret-stdin, or use --public-client for a client that has none.',
  )
}

async function prompt(question: string): Promise<string> {
  process.stderr.write(question)
  // readline echoes input to its output stream, so give it one that discards everything.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  const stopped = new AbortController()
  lines.once('SIGINT', () => stopped.abort())
  lines.once('close', () => stopped.abort())
  try {
    return (await lines.question('', { signal: stopped.signal })).trim()
  } catch (cause) {
    throw new AuthConfigurationError('Stopped. Nothing was written.', { cause })
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
