import { admitsEveryone, openProvider } from '@netscript/auth-kv-oauth/internal'
import { type Check, type Finding, ok, warnWith } from './finding.js'

/** Whether the operator has said who may sign in at providers where anyone can create an account. */
export const checkAdmission: Check = ({ config: { providers } }) => {
  const open = providers.filter(admitsEveryone)
  if (open.length > 0) return open.map((one): Finding => warnWith('ADMISSION', openProvider(one)))
  return providers.length === 0
    ? []
    : [ok('ADMISSION', 'Who may sign in is limited, or meant to be everyone.')]
}
