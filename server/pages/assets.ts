import { createHash } from 'node:crypto'
import type { RequestHandler } from 'express'
import { AUTH_PATH_PREFIX } from '@netscript/auth-contract'
import { text } from './generated/page-script.js'

/** A static file used by the pages. */
interface Asset {
  /** Path at which it is served. */
  readonly path: string
  /** URL used by pages. It contains a hash of the content, so the file can be cached forever. */
  readonly href: string
  /** Its media type. */
  readonly type: string
  readonly text: string
}

/** Creates an asset from its content. */
function asset(path: string, type: string, text: string): Asset {
  const hash = createHash('sha256').update(text).digest('base64url').slice(0, 12)
  return { path, href: `${path}?v=${hash}`, type, text }
}

/** Serves an asset with an immutable cache policy. */
export function serveAsset({ type, text }: Asset): RequestHandler {
  return (_req, res) => {
    res.setHeader('Cache-Control', 'public, max-age=31536000, immutable')
    res.type(type).send(text)
  }
}

/** The script of the page at `/`, built from `page.ts` by `npm run generate`. */
export const pageScript = asset('/assets/page.js', 'js', text)

const css = `:root {
  color-scheme: light dark;
  --ground: #f4f5f7;
  --card: #ffffff;
  --line: #dde1e7;
  --control-line: #7d8795;
  --text: #171b22;
  --quiet: #566072;
  --accent: #2f4ac0;
  --accent-hover: #243b9e;
  --on-accent: #ffffff;
  --tint: #eef1fb;
  --notice: #fdf6e3;
  --notice-line: #e6d39b;
  --shadow: 0 1px 2px rgb(23 27 34 / 6%), 0 12px 32px rgb(23 27 34 / 8%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1217;
    --card: #181c23;
    --line: #2b323d;
    --control-line: #75808f;
    --text: #e9ecf1;
    --quiet: #a6afbd;
    --accent: #a9b8ff;
    --accent-hover: #c3cdff;
    --on-accent: #10142a;
    --tint: #232a3f;
    --notice: #2a2517;
    --notice-line: #57492a;
    --shadow: none;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0;
  min-height: 100vh;
  min-height: 100dvh;
  display: flex;
  flex-direction: column;
  align-items: center;
  padding: clamp(1.5rem, 9vh, 6rem) 1rem 2rem;
  background: var(--ground);
  color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif;
  overflow-wrap: anywhere;
}
header, main, footer { width: 100%; max-width: 27rem; }
header { display: flex; align-items: center; gap: .625rem; margin-bottom: 1.25rem; font-weight: 600; }
header svg { width: 1.75rem; height: 1.75rem; flex: none; color: var(--accent); }
main {
  padding: clamp(1.25rem, 6vw, 2.25rem);
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: 1rem;
  box-shadow: var(--shadow);
}
h1 { margin: 0 0 .375rem; font-size: 1.5rem; line-height: 1.25; letter-spacing: -.015em; }
h2 { margin: 0 0 .375rem; font-size: .9375rem; line-height: 1.4; }
p { margin: 0 0 1rem; }
main > :is(p:has(+ [hidden]:last-child), :last-child) { margin-bottom: 0; }
.quiet { color: var(--quiet); }
.lead { margin-bottom: 1.5rem; color: var(--quiet); }
form { margin: 0; }
h1 + form { margin-top: 1rem; }
form + h2 { margin-top: 2rem; }
label { display: block; font-weight: 600; }
input {
  display: block;
  width: 100%;
  min-height: 2.875rem;
  margin-top: .25rem;
  padding: .5rem .75rem;
  border: 1px solid var(--control-line);
  border-radius: .625rem;
  background: transparent;
  color: inherit;
  font: inherit;
}
input[type=hidden] { display: none; }
.actions { display: flex; flex-direction: column; gap: .625rem; }
.button {
  display: flex;
  align-items: center;
  justify-content: center;
  gap: .75rem;
  width: 100%;
  min-height: 2.875rem;
  padding: .625rem 1rem;
  border: 1px solid var(--control-line);
  border-radius: .625rem;
  background: transparent;
  color: var(--text);
  font: inherit;
  font-weight: 600;
  line-height: 1.3;
  text-align: center;
  text-decoration: none;
  cursor: pointer;
}
.button small { margin-inline-start: .5rem; font-size: .8125rem; font-weight: 400; white-space: nowrap; }
.button:hover { background: var(--tint); }
.button.primary { border-color: transparent; background: var(--accent); color: var(--on-accent); }
.button.primary:hover { background: var(--accent-hover); }
.button.plain { border-color: transparent; color: var(--quiet); }
.button.account { justify-content: flex-start; padding: .75rem .875rem; text-align: start; }
.button.account .quiet { display: block; font-size: .875rem; font-weight: 400; }
a { color: var(--accent); text-underline-offset: .2em; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; border-radius: .25rem; }
.button:focus-visible, input:focus-visible { border-radius: .625rem; }
p a { display: inline-block; padding: .75rem 0; }
.person { display: flex; align-items: center; gap: 1rem; margin-bottom: 1.5rem; }
.person > div { min-width: 0; }
.person h1 { margin: 0; font-size: 1.3125rem; }
.person p { margin: 0; }
.initials {
  display: grid;
  place-items: center;
  flex: none;
  width: 3.5rem;
  height: 3.5rem;
  border-radius: 50%;
  background: var(--tint);
  color: var(--accent);
  font-size: 1.25rem;
  font-weight: 600;
  line-height: 1;
}
.account .initials { width: 2.5rem; height: 2.5rem; font-size: .9375rem; }
dl { margin: 0 0 1.5rem; border-top: 1px solid var(--line); font-size: .9375rem; }
dl > div { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: .625rem 0; border-bottom: 1px solid var(--line); }
dt { flex: 0 0 6.5rem; color: var(--quiet); }
dd { flex: 1 1 9rem; min-width: 0; margin: 0; }
dd .quiet, dd time { display: block; font-size: .875rem; }
code { font: .875em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.notice {
  margin: 0 0 1.5rem;
  padding: .75rem .875rem;
  border: 1px solid var(--notice-line);
  border-radius: .625rem;
  background: var(--notice);
  font-size: .9375rem;
}
.notice p:last-child, .notice ul:last-child { margin-bottom: 0; }
.after { margin: 1.5rem 0 0; }
ul { margin: 0 0 1rem; padding-inline-start: 1.25rem; }
li + li { margin-top: .25rem; }
footer { padding: .5rem .25rem 0; font-size: .875rem; }
footer ul { display: flex; flex-wrap: wrap; gap: 0 1.25rem; margin: 0; padding: 0; list-style: none; }
footer li { margin: 0; }
footer a { display: block; padding: .75rem 0; }
footer p { margin-top: .75rem; }
.sessions { margin: 0 0 1rem; padding: 0; border-top: 1px solid var(--line); list-style: none; font-size: .9375rem; }
.sessions li { display: flex; align-items: center; gap: 1rem; margin: 0; padding: .625rem 0; border-bottom: 1px solid var(--line); }
.sessions li > div { flex: 1; min-width: 0; }
.sessions:last-child { margin-bottom: 0; }
.sessions:last-child li:last-child { padding-bottom: 0; border: 0; }
.sessions .quiet { display: block; font-size: .875rem; }
.button.small { flex: none; width: auto; min-height: 2.75rem; padding: .25rem .75rem; font-size: .875rem; }
.badge { display: inline-block; padding: 0 .5rem; border-radius: 1rem; background: var(--tint); color: var(--accent); font-size: .8125rem; font-weight: 600; }
section { margin-top: 2rem; }
section.notice { margin-top: 1.5rem; }
summary { padding: .75rem 0; cursor: pointer; }
[hidden] { display: none; }
@media (max-width: 26rem) {
  body { padding-top: 1.25rem; }
  dl > div { flex-direction: column; }
  dt, dd { flex: none; }
}
@media (forced-colors: active) {
  .button, .initials { border: 1px solid ButtonText; }
}
`

/** The one stylesheet of all pages. */
// Below the prefix of the API, which a host routes as a whole.
export const stylesheet = asset(`${AUTH_PATH_PREFIX}/auth.css`, 'css', css)
