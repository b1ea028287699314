import { AuthConfigurationError } from '@netscript/plugin-auth-core'

/**
 * Asks before something that cannot be taken back; `--yes` answers. Nobody can answer in a pipe.
 * @throws AuthConfigurationError when it must not happen.
 */
export async function confirm(question: string, { yes }: { yes?: boolean }): Promise<void> {
  if (yes) return
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new AuthConfigurationError(`${question} Say so with --yes.`)
  }
  const prompts = await import('@clack/prompts')
  const answer = await prompts.confirm({ message: question, initialValue: false })
  if (answer !== true) throw new AuthConfigurationError('Nothing was done.')
}
