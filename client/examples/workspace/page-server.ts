import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { build, createServer, defaultClientConditions, type InlineConfig, preview } from 'vite'

/** Options of {@link startPageServer}. */
export interface PageServerOptions {
  /** Port on localhost. */
  port: number
  /** URL of the authentication service. */
  authUrl: string
  /** URL of the workspace service. */
  serviceUrl: string
  /** Build into this directory and serve the result. @default serve the sources, as in development */
  outDir?: string
}

/**
 * Serves the page and proxies both services on its origin, so that the session cookie is first-party
 * and no request is cross-origin.
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
    // Resolves the packages of this repository to their sources.
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
