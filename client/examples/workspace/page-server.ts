import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { build, createServer, defaultClientConditions, type InlineConfig, preview } from 'vite'

/** Options of {@link startPageServer}. */
export interface PageServerOptions {
  /** The port on localhost. */
  port: number
  /** Where the authentication service is. */
  authUrl: string
  /** Where the workspace service is. */
  serviceUrl: string
  /** Build the page into this directory and serve that. Default: serve the sources, as in development. */
  outDir?: string
}

/**
 * Serves the page, and both services on its origin: the session cookie belongs to the page then, and
 * no request crosses an origin.
 */
export async function startPageServer(options: PageServerOptions): Promise<{
  close(): Promise<void>
}> {
  const { port, authUrl, serviceUrl, outDir } = options
  const proxy = { '/api/v1/auth': authUrl, '/.well-known/jwks.json': authUrl, '/api': serviceUrl }
  const listening = { port, host: 'localhost', strictPort: true, proxy }
  const config: InlineConfig = {
    root: fileURLToPath(new URL('./page', import.meta.url)),
    configFile: false,
    logLevel: 'warn',
    // The packages of this repository, from their sources.
    resolve: { conditions: ['@netscript/source', ...defaultClientConditions] },
    plugins: [react()],
    server: listening,
    preview: listening,
  }
  if (outDir !== undefined) {
    const built = { ...config, build: { outDir, emptyOutDir: true } }
    await build(built)
    return preview(built)
  }
  const server = await createServer(config)
  try {
    return await server.listen()
  } catch (error) {
    await server.close()
    throw error
  }
}
