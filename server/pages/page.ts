import { AuthClientError } from '@netscript/auth-client'
import { createSessionStore } from '@netscript/auth-client/session-store'

/*
 * The script of the page at `/`, which works without it: what is shown follows what other tabs and
 * other devices do, single sessions can be ended, and a double click counts once.
 */
const { sessionId = '' } = document.querySelector('main')?.dataset ?? {}
const status = document.getElementById('status')
const store = createSessionStore()

store.subscribe(() => {
  const now = store.getSnapshot()
  if (now.status === 'unavailable' || now.status === 'loading') return
  const current = now.status === 'signed-in' ? now.session.id : ''
  // The server shows everything else; the page is asked for once, since it will then be the same. If
  // it is not, such as behind a cache that takes no cookies to the page, asking again would never end.
  if (current === sessionId) history.replaceState(null, '')
  else if (history.state !== current) {
    history.replaceState(current, '')
    location.reload()
  }
})

const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: 'long', timeStyle: 'short' })
for (const time of document.querySelectorAll('time')) {
  time.textContent = DATE.format(new Date(time.dateTime))
}

const DOUBLE_CLICK_MS = 1_000
let submittedAt = -Infinity
// A second sign-out finds no session, and would navigate away from the provider's logout.
document.addEventListener('submit', (event) => {
  if (event.timeStamp - submittedAt < DOUBLE_CLICK_MS) event.preventDefault()
  else submittedAt = event.timeStamp
})

for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-revoke]')) {
  button.hidden = false
  button.addEventListener('click', () => void revoke(button))
}

async function revoke(button: HTMLButtonElement): Promise<void> {
  const { revoke: which = '' } = button.dataset
  button.disabled = true
  try {
    if (which === 'others') await store.client.revokeOtherSessions()
    else await store.client.revokeSession(which)
    const ended = which === 'others' ? 'button[data-revoke]' : `button[data-revoke="${which}"]`
    for (const gone of document.querySelectorAll(ended)) (gone.closest('li') ?? gone).remove()
    if (!document.querySelector('li button[data-revoke]')) {
      document.querySelector('button[data-revoke="others"]')?.remove()
    }
    say(which === 'others' ? 'Signed out on other devices.' : 'Signed out there.')
  } catch (error) {
    button.disabled = false
    say(error instanceof AuthClientError && error.status === 404 ? GONE : FAILED)
  }
}

const GONE = 'That session has already ended. Reload the page.'
const FAILED = 'That did not work. Try again.'

/** Shown, and read aloud. */
function say(message: string): void {
  if (!status) return
  status.hidden = false
  status.textContent = message
  status.focus()
}
