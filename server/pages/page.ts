import { AuthClientError } from '@netscript/auth-client'
import { createSessionStore } from '@netscript/auth-client/session-store'

/*
 * Progressive enhancement of the page at `/`: it follows changes from other tabs and devices, ends single
 * sessions, removes accounts, deletes the user, asks for a recent sign-in, and ignores double clicks.
 */
const { sessionId = '' } = document.querySelector('main')?.dataset ?? {}
const status = document.getElementById('status')
const store = createSessionStore()

store.subscribe(() => {
  const now = store.getSnapshot()
  if (now.status === 'unavailable' || now.status === 'loading') return
  const current = now.status === 'signed-in' ? now.session.id : ''
  // The server renders everything else, so reload once. If the page still differs, for example behind a
  // cache that drops cookies, another reload would loop forever.
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
// A second sign-out would find no session and interrupt the navigation to the provider's logout.
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

for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-unlink]')) {
  button.hidden = false
  button.addEventListener('click', () => void unlink(button))
}

async function unlink(button: HTMLButtonElement): Promise<void> {
  button.disabled = true
  try {
    await store.client.unlinkAccount(button.dataset.unlink ?? '')
    location.reload()
  } catch (error) {
    button.disabled = false
    if (await signInAgain(error)) return
    const { status } = error as { status?: unknown }
    say(status === 404 ? 'That account has already been removed. Reload the page.' : FAILED)
  }
}

for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-delete-user]')) {
  button.hidden = false
  button.addEventListener('click', () => void deleteUser(button))
}

async function deleteUser(button: HTMLButtonElement): Promise<void> {
  button.disabled = true
  try {
    await store.client.deleteUser()
    location.reload()
  } catch (error) {
    button.disabled = false
    if (!(await signInAgain(error))) say(FAILED)
  }
}

// Without the script, the form leads to a page that asks for a recent sign-in.
for (const form of document.querySelectorAll<HTMLFormElement>('form[data-link]')) {
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const { link: providerId = '' } = form.dataset
    store
      .redirectToSignIn({ providerId, link: true })
      .catch(async (error: unknown) => (await signInAgain(error)) || say(FAILED))
  })
}

/** Starts the sign-in that a sensitive change needs. */
const signInAgain = (error: unknown): Promise<boolean> => store.stepUp(error).catch(() => false)

const GONE = 'That session has already ended. Reload the page.'
const FAILED = 'That did not work. Try again.'

/** Shows a message, which screen readers announce. */
function say(message: string): void {
  if (!status) return
  status.hidden = false
  status.textContent = message
  status.focus()
}
