import { readFileSync } from 'node:fs'

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))

/** The sources of the packages' entry points. `/internal` is for the packages themselves. */
const entryPoints = read('package.json').workspaces.flatMap((workspace) =>
  Object.entries(read(`${workspace}/package.json`).exports)
    .filter(([name, target]) => name !== './internal' && typeof target !== 'string')
    .map(([, target]) => `${workspace}/${target['@netscript/source'].default}`),
)

/** @type {Partial<import('typedoc').TypeDocOptions>} */
export default {
  entryPoints,
  name: 'NetScript Auth',
  out: 'reference',
  readme: 'none',
  excludeExternals: true,
  excludePrivate: true,
  disableSources: true,
  githubPages: false,
  validation: { notExported: false, invalidLink: true },
}
