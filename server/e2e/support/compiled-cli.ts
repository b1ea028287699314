import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import * as esbuild from 'esbuild'
import { ROOT } from './documents.js'

/**
 * Compiles the command line from source, once for a run: a process that starts through tsx spends a second
 * of CPU on it.
 *
 * @param directory Inside the repository, where Node finds the dependencies.
 * @returns The path of its main module.
 */
export async function compileCli(directory: string): Promise<string> {
  await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: ['server/cli/main.ts'],
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@netscript/source'],
    logLevel: 'error',
    plugins: [
      {
        name: 'sources',
        setup(build) {
          build.onResolve({ filter: /^[^.]/ }, ({ path, kind }) =>
            kind === 'entry-point' || path.startsWith('@netscript/')
              ? undefined
              : { path, external: true },
          )
          // Files beside a module are found from its source.
          build.onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
            loader: 'ts',
            contents: (await readFile(path, 'utf8')).replaceAll(
              'import.meta.url',
              JSON.stringify(pathToFileURL(path).href),
            ),
          }))
        },
      },
    ],
  })
  return `${directory}/main.mjs`
}
