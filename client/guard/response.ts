import { PRIVATE } from './caller.js'

/** Puts what an authentication adds on a response; safe to repeat. */
export function passOn(response: Response, setCookies: readonly string[]): Response {
  try {
    addTo(response.headers, setCookies)
    return response
  } catch (error) {
    // The headers of a fetched or redirecting response are immutable.
    if (!(error instanceof TypeError)) throw error
    const copy = new Response(response.body, response)
    addTo(copy.headers, setCookies)
    return copy
  }
}

/** A handler may override `Cache-Control`, and cookies of the same name. */
export function addTo(headers: Headers, setCookies: readonly string[]): void {
  const varied = (headers.get('vary') ?? '').toLowerCase().split(/\s*,\s*/)
  for (const field of PRIVATE.vary) {
    if (!varied.includes(field.toLowerCase())) headers.append('Vary', field)
  }
  if (!headers.has('cache-control')) headers.set('Cache-Control', PRIVATE.cacheControl)
  const own = headers.getSetCookie()
  const passed = setCookies.filter((cookie) => !own.includes(cookie))
  if (passed.length === 0) return
  // Those of the handler come last: a browser keeps the last of a name, such as that of a sign-out.
  headers.delete('set-cookie')
  for (const cookie of [...passed, ...own]) headers.append('Set-Cookie', cookie)
}
