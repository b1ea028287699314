import { html, safeHref } from './html.js'
import { layout } from './layout.js'

/** What {@link errorPage} shows: the parts of a problem document that are useful to a user. */
export interface ErrorPageOptions {
  title: string
  detail: string
  /** The stable code of the error table. */
  code: string
  /** What to quote when asking for help; the log line carries it too. */
  requestId: string
  /** Where the button leads: a path, or an http(s) URL. */
  homeHref: string
}

/** What a browser sees when a sign-in or sign-out fails. */
export function errorPage({ title, detail, code, requestId, homeHref }: ErrorPageOptions): string {
  return layout({
    title,
    main: html`<h1>${title}</h1>
      <p class="lead">${detail}</p>
      <dl>
        <div>
          <dt>Code</dt>
          <dd><code>${code}</code></dd>
        </div>
        <div>
          <dt>Request</dt>
          <dd><code>${requestId}</code></dd>
        </div>
      </dl>
      <a class="button primary" href="${safeHref(homeHref)}">Go to the start page</a>`,
  })
}
