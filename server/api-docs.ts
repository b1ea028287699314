import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Router } from 'express'

/** Options of {@link createApiDocs}. */
interface ApiDocsOptions {
  /** Whether Swagger UI is served at /docs. @default true */
  ui?: boolean
}

/**
 * Serves `GET /openapi.json` and, at `/docs`, Swagger UI. All files come from this service, under a
 * content security policy that allows no inline script or style and no request to another origin. "Try it
 * out" sends the browser's cookies.
 *
 * @param document Called once, on the first request.
 *
 * @example
 * ```ts
 * app.use(createApiDocs(() => createOpenApiDocument({ serverUrl: origin })))
 * ```
 */
export function createApiDocs(document: () => object, { ui = true }: ApiDocsOptions = {}): Router {
  const router = Router({ caseSensitive: true, strict: true })
  let text: string | undefined
  router.get('/openapi.json', (_req, res) => {
    text ??= JSON.stringify(document())
    // Cached but always revalidated: with the ETag that costs a 304 without a body.
    res.setHeader('Cache-Control', 'no-cache')
    res.type('json').send(text)
  })
  if (ui) router.use('/docs', swaggerUi())
  return router
}

/**
 * The files that `npm run generate` copies from swagger-ui-dist. The others would load Swagger's demo
 * API.
 */
export const SWAGGER_UI_FILES = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png']

const PACKAGE = createRequire(import.meta.url).resolve('@netscript/plugin-auth/package.json')
const SWAGGER_UI = join(dirname(PACKAGE), 'pages/generated/swagger-ui')

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

function swaggerUi(): Router {
  const router = Router({ caseSensitive: true, strict: true })
  router.use((_req, res, next) => {
    res.setHeader('Content-Security-Policy', CONTENT_SECURITY_POLICY)
    res.setHeader('Cache-Control', 'no-cache')
    next()
  })
  router.get('/', (req, res) => {
    // The links are relative, so that the router can be mounted anywhere.
    if (req.originalUrl.split('?', 1)[0]?.endsWith('/')) return res.redirect(308, '../docs')
    res.type('html').send(PAGE)
  })
  router.get('/page.css', (_req, res) => {
    res.type('css').send(STYLE)
  })
  router.get('/page.js', (_req, res) => {
    res.type('js').send(SCRIPT)
  })
  for (const file of SWAGGER_UI_FILES) {
    router.get(`/${file}`, (_req, res) => res.sendFile(file, { root: SWAGGER_UI }))
  }
  return router
}

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <title>API reference · NetScript Auth</title>
    <link rel="icon" href="docs/favicon-32x32.png">
    <link rel="stylesheet" href="docs/swagger-ui.css">
    <link rel="stylesheet" href="docs/page.css">
  </head>
  <body>
    <noscript>This page needs JavaScript. The document itself is at <a href="openapi.json">openapi.json</a>.</noscript>
    <main id="swagger-ui"></main>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/page.js"></script>
  </body>
</html>
`

/** Follows the system's colour scheme, which Swagger UI itself leaves to a button. */
const SCRIPT = `const dark = matchMedia('(prefers-color-scheme: dark)')
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', follow)
follow()
SwaggerUIBundle({
  url: 'openapi.json',
  domNode: document.getElementById('swagger-ui'),
  deepLinking: true,
  tryItOutEnabled: true,
  withCredentials: true,
  validatorUrl: null,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  docExpansion: 'list',
})
`

/** Fixes Swagger UI's layout and hides its dialog for the session cookie, which cannot be typed in. */
const STYLE = `*, *::before, *::after { box-sizing: border-box; }
body { margin: 0; }
html:not(.dark-mode) body { background: #fafafa; }
html.dark-mode .swagger-ui table.headers td { color: inherit; }
html.dark-mode .swagger-ui .scheme-container { background: transparent; box-shadow: none; }
noscript { display: block; padding: 2rem; font-family: sans-serif; }
.swagger-ui .auth-wrapper { display: none; }
.swagger-ui .response-col_links { display: none; }
.swagger-ui .opblock-section-header { flex-wrap: wrap; gap: 0.5rem; }
.swagger-ui .info thead tr th, .swagger-ui .info tbody tr td,
.swagger-ui .info tbody tr td:first-of-type { padding-right: 1rem; }
.swagger-ui table.headers thead tr th, .swagger-ui table.headers tbody tr td { padding: 0.5rem 1rem 0.5rem 0; vertical-align: top; }
.swagger-ui table.headers tbody tr td:first-of-type { min-width: 7.5rem; padding: 0.5rem 1rem 0.5rem 0; }
.swagger-ui .opblock-body select { min-width: 0; max-width: 100%; }
.swagger-ui .opblock-summary .copy-to-clipboard.view-line-link { display: none; }
.swagger-ui .opblock-summary .authorization__btn { display: none; }
/* Problems share one shape: the first of a status says enough. */
.swagger-ui .responses-table:not(.live-responses-table) .response:is([data-code^="4"], [data-code^="5"]) :is(.response-controls, .model-example, .headers-wrapper, .examples-select, section) { display: none; }
@media (max-width: 40rem) {
  .swagger-ui .wrapper, .swagger-ui .opblock-body > div { padding-inline: 0.75rem; }
  .swagger-ui .info table, .swagger-ui .info table :is(tbody, tr), .swagger-ui table.headers, .swagger-ui table.headers :is(tbody, tr, td) { display: block; }
  .swagger-ui :is(.info table, table.headers) thead, .swagger-ui table.headers td:last-of-type { display: none; }
  .swagger-ui :is(.info table, table.headers) tbody tr { padding: 0.5rem 0; }
  .swagger-ui .info table tbody td:first-of-type { padding-left: 0; }
  .swagger-ui .info table tbody td:last-of-type { display: block; padding: 0; }
  .swagger-ui table.headers tbody tr td { padding: 0; }
  .swagger-ui .responses-inner { padding: 0.75rem; }
  .swagger-ui .responses-inner td, .swagger-ui .responses-inner tr { max-width: calc(100vw - 4rem); overflow-wrap: anywhere; }
  .swagger-ui .responses-table, .swagger-ui .responses-table > tbody, .swagger-ui .responses-table > tbody > tr, .swagger-ui .responses-table > tbody > tr > td:not(.response-col_links) { display: block; width: 100%; }
  .swagger-ui .responses-table > thead { display: none; }
  .swagger-ui .highlight-code, .swagger-ui .microlight { max-width: 100%; overflow-x: auto; }
  .swagger-ui .parameters, .swagger-ui .parameters > tbody, .swagger-ui .parameters > tbody > tr, .swagger-ui .parameters > tbody > tr > td { display: block; }
}
`
