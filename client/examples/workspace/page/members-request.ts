import type { Problem } from '@netscript/auth-contract'
import type { Member } from '../service/members.js'

/** The result of a request for the members of a workspace. */
export type MembersAnswer =
  | { readonly kind: 'members'; readonly members: readonly Member[]; readonly you: string }
  | { readonly kind: 'signed-out' }
  | { readonly kind: 'forbidden'; readonly missingScopes: readonly string[] }
  | { readonly kind: 'away' }

const pathOf = (workspace: string): string =>
  `/api/workspace/${encodeURIComponent(workspace)}/members`

/** Requests the members of a workspace. Errors are problem documents of the guards. */
export async function requestMembers(workspace: string): Promise<MembersAnswer> {
  try {
    const response = await fetch(pathOf(workspace))
    if (response.status === 401) return { kind: 'signed-out' }
    if (response.status === 403) {
      const { data } = (await response.json()) as Problem<'FORBIDDEN'>
      return { kind: 'forbidden', missingScopes: data?.missingScopes ?? [] }
    }
    if (!response.ok) return { kind: 'away' }
    return { kind: 'members', ...((await response.json()) as { members: Member[]; you: string }) }
  } catch {
    return { kind: 'away' }
  }
}

/** Removes a member. The response may require a recent sign-in. */
export const requestRemoval = (workspace: string, subject: string): Promise<Response> =>
  fetch(`${pathOf(workspace)}/${encodeURIComponent(subject)}`, { method: 'DELETE' })

/** Joins a workspace. Resolves to false on failure. */
export async function requestJoin(workspace: string): Promise<boolean> {
  const headers = { 'content-type': 'application/json' }
  const answer = fetch(pathOf(workspace), { method: 'POST', headers, body: '{}' })
  return answer.then(
    ({ ok }) => ok,
    () => false,
  )
}
