import express, { type RequestHandler, Router } from 'express'
import { serveFiles } from 'swagger-ui-express'

/** Options of {@link createApiDocs}. */
export interface ApiDocsOptions {
  /** Whether Swagger UI is served at /docs. Default: true. */
  ui?: boolean
}

/**
 * `GET /openapi.json` and, at `/docs`, Swagger UI: everything from files of this service, under a
 * policy that allows no inline script or style and no request to anybody else. "Try it out" sends
 * the cookies of the browser.
 *
 * @param document Called once, at the first request.
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
    // Kept, but asked for again each time: with its ETag that costs a 304 without a body.
    res.setHeader('Cache-Control', 'no-cache')
    res.type('json').send(text)
  })
  if (ui) router.use('/docs', swaggerUi())
  return router
}

/** Of what swagger-ui-dist has, the files that the page needs; others show somebody else's API. */
const FILES = new Set([
  '/swagger-ui.css',
  '/swagger-ui-bundle.js',
  '/swagger-ui-standalone-preset.js',
  '/swagger-ui-init.js',
  '/favicon-32x32.png',
])

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
  const serve = express.Router().use(
    ...serveFiles(undefined, {
      swaggerUrl: 'openapi.json',
      swaggerOptions: {
        layout: 'BaseLayout',
        tryItOutEnabled: true,
        withCredentials: true,
        validatorUrl: null,
        displayRequestDuration: true,
        defaultModelsExpandDepth: 0,
        docExpansion: 'list',
      },
    }),
  )
  const onlyOurs: RequestHandler = (req, res, next) =>
    FILES.has(req.path) ? serve(req, res, next) : next()
  router.use(onlyOurs)
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
    <script src="docs/swagger-ui-standalone-preset.js"></script>
    <script src="docs/swagger-ui-init.js"></script>
  </body>
</html>
`

/** What Swagger UI leaves out or squeezes; a session cookie is not typed in, so nor is its dialog. */
const STYLE = `*, *::before, *::after { box-sizing: border-box; }
body { margin: 0; background: #fafafa; }
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
`
