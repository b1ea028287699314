import { useCallback, useEffect, useState } from 'react'
import { SignInButton, useSession } from '@netscript/auth-client/react'
import type { Problem } from '@netscript/auth-contract'
import type { Member } from '../service/members.js'

/** The members of a workspace, or how to get access. The service authorizes, not the page. */
export function MemberList({ workspace }: { workspace: string }) {
  const [answer, setAnswer] = useState<MembersAnswer>()
  const load = useCallback(async () => setAnswer(await requestMembers(workspace)), [workspace])
  useEffect(() => void load(), [load])
  return (
    <>
      <h1>Members of {workspace}</h1>
      <Answer answer={answer} workspace={workspace} load={load} />
    </>
  )
}

interface AnswerProps {
  answer: MembersAnswer | undefined
  workspace: string
  load: () => Promise<void>
}

function Answer({ answer, workspace, load }: AnswerProps) {
  const { session, stepUp } = useSession()
  switch (answer?.kind) {
    case undefined:
      return <p role="status">One moment.</p>
    case 'signed-out':
      return <p>Sign in to see who is here.</p>
    case 'away':
      return (
        <>
          <p>The workspace is unavailable.</p>
          <button onClick={() => void load()}>Try again</button>
        </>
      )
    case 'forbidden':
      return (
        <>
          <p>
            Your sign-in does not include <code>{answer.missingScopes.join(' ')}</code>.
          </p>
          <SignInButton className="primary" scopes={[...SIGN_IN_SCOPES, ...answer.missingScopes]}>
            Ask for it
          </SignInButton>
        </>
      )
    case 'members': {
      const { members, you } = answer
      const join = async () => {
        await requestJoin(workspace)
        await load()
      }
      const isAdmin = session?.roles.includes('admin') ?? false
      const remove = async (subject: string) => {
        const response = await requestRemoval(workspace, subject)
        // Leads to the provider if the sign-in is not recent, and back to this page.
        if (!(await stepUp(response))) await load()
      }
      return (
        <>
          <ul>
            {members.map(({ subject, name, joinedAt }) => (
              <li key={subject}>
                <span>
                  <bdi>{name}</bdi> {subject === you && <b className="badge">you</b>}
                </span>
                <time dateTime={joinedAt}>{joinedAt.slice(0, 10)}</time>
                {isAdmin && (
                  <button aria-label={`Remove ${name}`} onClick={() => void remove(subject)}>
                    Remove
                  </button>
                )}
              </li>
            ))}
          </ul>
          {members.every(({ subject }) => subject !== you) && (
            <button className="primary" onClick={() => void join()}>
              Join
            </button>
          )}
        </>
      )
    }
  }
}

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

/** Scopes of the first sign-in. `workspace:read` is requested later, when the member list needs it. */
export const SIGN_IN_SCOPES = ['openid', 'profile', 'email']
