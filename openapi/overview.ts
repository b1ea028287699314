import { AUTH_ERRORS } from '@netscript/auth-contract'

const rows = Object.entries(AUTH_ERRORS)
  .map(([code, { status, title }]) => `| \`${code}\` | ${status} | ${title} |`)
  .join('\n')

/** The introduction of the document, in CommonMark. */
export const OVERVIEW = `Tokens of the provider stay on the server; the browser holds one cookie that scripts cannot read.

### Signing in

1. \`POST /api/v1/auth/signin\` opens a transaction and returns the address of the provider.
2. The user signs in at the provider, which redirects the browser to \`GET /api/v1/auth/callback\`, which sets the session cookie.
3. \`GET /api/v1/auth/me\` returns the signed-in user. Without a session it still responds 200.

### Requests from other sites

A request that changes state is accepted when its \`Origin\` is the service's own or a listed one; without an \`Origin\`, when \`Sec-Fetch-Site\` is \`same-origin\` or \`none\`; without either, only as \`application/json\`.

### Problems

An error is a problem document (RFC 9457) with a stable \`code\`; a browser that navigates gets it as a page. Unknown addresses and methods are problems too.

| Code | Status | Title |
| --- | --- | --- |
${rows}
`
