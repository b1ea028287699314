import { AuthConfigurationError } from '@netscript/plugin-auth-core'

/**
 * Asks for confirmation before an irreversible action. `--yes` skips the question and is required without
 * a terminal.
 * @throws AuthConfigurationError when the action was not confirmed.
 */
export async function confirm(question: string, { yes }: { yes?: boolean }): Promise<void> {
  if (yes) return
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new AuthConfigurationError(`${question} Pass --yes to confirm.`)
  }
  const prompts = await import('@clack/prompts')
  const answer = await prompts.confirm({ message: question, initialValue: false })
  if (answer !== true) throw new AuthConfigurationError('Nothing was done.')
}
