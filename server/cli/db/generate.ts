import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { workspaceProject } from './migrate.js'
import { runPrisma } from './prisma-cli.js'
import { print } from '../terminal.js'

/** `netscript db generate`: the Prisma client and zod schemas. Needs no database. */
export async function generate(): Promise<void> {
  const { root } = await workspaceProject()
  const { code, stdout, stderr } = await runPrisma(root, ['generate', '--no-hints'])
  const said = `${stdout}${stderr}`
  if (code !== 0) {
    throw new AuthConfigurationError(`Prisma could not generate:\n${said.trim()}`)
  }
  for (const [, what = '', where = ''] of said.matchAll(/Generated (.+?) to (.+?) in /g)) {
    print(`Generated ${what.replace(/ \(.*\)/, '')} in ${where}`)
  }
}
