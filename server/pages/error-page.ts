import { html, safeHref } from './html.js'
import { layout } from './layout.js'

/** Options of {@link errorPage}: the parts of a problem document that help a user. */
export interface ErrorPageOptions {
  title: string
  detail: string
  /** The stable code of the error table. */
  code: string
  /** Id to quote when asking for help; the log line contains it too. */
  requestId: string
  /** Target of the button: a path or an http(s) URL. */
  homeHref: string
}

/** Renders the page for a failed sign-in or sign-out. */
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
