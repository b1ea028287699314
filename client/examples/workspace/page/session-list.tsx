import { useCallback, useEffect, useState } from 'react'
import { AuthClientError, type SessionSummary } from '@netscript/auth-client'
import { useAuthClient } from '@netscript/auth-client/react'

/** The sessions of the user, with a button that ends all others. */
export function SessionList() {
  const client = useAuthClient()
  const [sessions, setSessions] = useState<readonly SessionSummary[]>()
  const [problem, setProblem] = useState<string>()
  /** Runs an action, then reloads the list or shows the error. */
  const run = useCallback(
    async (action: () => Promise<unknown> = async () => undefined) => {
      try {
        await action()
        setSessions((await client.sessions()).sessions)
        setProblem(undefined)
      } catch (error) {
        if (!(error instanceof AuthClientError)) throw error
        setProblem(error.message)
      }
    },
    [client],
  )
  useEffect(() => void run(), [run])
  const others = sessions?.filter(({ current }) => !current).length ?? 0
  return (
    <>
      <h1>Where you are signed in</h1>
      <ProviderProfile />
      {problem && <p role="alert">{problem}</p>}
      {!sessions && !problem && <p role="status">One moment.</p>}
      <ul>
        {sessions?.map(({ session, current, userAgent }) => (
          <li key={session.id}>
            <span>
              {browserOf(userAgent)} {current && <b className="badge">this device</b>}
            </span>
            <time dateTime={session.issuedAt}>
              since {session.issuedAt.slice(0, 16).replace('T', ' ')} UTC
            </time>
          </li>
        ))}
      </ul>
      {others > 0 && (
        <button className="primary" onClick={() => void run(() => client.revokeOtherSessions())}>
          Sign out other devices
        </button>
      )}
    </>
  )
}

/** What the provider knows of the user, which the service asks with the token of the provider. */
function ProviderProfile() {
  const [profile, setProfile] = useState<{ name?: string; locale?: string }>()
  useEffect(() => {
    const load = async () => {
      const response = await fetch('/api/provider-profile')
      if (response.ok) setProfile((await response.json()) as { name?: string; locale?: string })
    }
    load().catch(() => undefined)
  }, [])
  if (profile?.name === undefined) return undefined
  return (
    <p>
      The provider knows you as <bdi>{profile.name}</bdi>
      {profile.locale !== undefined && `, language ${profile.locale}`}.
    </p>
  )
}

/** In this order: user agents also name the browsers that they are compatible with. */
const BROWSERS = ['Firefox', 'Edg', 'Chrome', 'Safari']

function browserOf(userAgent = ''): string {
  return BROWSERS.find((name) => userAgent.includes(`${name}/`)) ?? 'Another program'
}
