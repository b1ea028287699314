// `npm run sizes`: the size of each package with its dependencies in an empty project, without optional
// peers.
import { execFileSync } from 'node:child_process'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Limits: third-party packages, and megabytes in total (apparent size). */
const GOALS = {
  '@netscript/auth-client': [0, 0.2],
  '@netscript/auth-guard': [4, 8],
  '@netscript/auth-contract': [3, 8],
  '@netscript/auth-workos': [6, 11],
  '@netscript/auth-kv-oauth': [26, 11],
  '@netscript/plugin-auth': [150, 40],
  '@netscript/auth-testing': [150, 41],
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'netscript-sizes-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
const npm = (args, cwd) =>
  execFileSync('npm', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  })

const { workspaces } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const manifests = workspaces.map((directory) =>
  JSON.parse(readFileSync(join(ROOT, directory, 'package.json'), 'utf8')),
)
npm(['run', '--silent', 'build'], ROOT)
const packs = JSON.parse(
  npm(['pack', '--workspaces', '--ignore-scripts', '--json', '--pack-destination', scratch], ROOT),
)
const tarballs = new Map(packs.map(({ name, filename }) => [name, join(scratch, filename)]))

/** A package and its dependencies within this repository. */
function ownClosure(name, found = new Set()) {
  if (found.has(name)) return found
  found.add(name)
  const { dependencies = {} } = manifests.find((manifest) => manifest.name === name)
  for (const one of Object.keys(dependencies)) if (tarballs.has(one)) ownClosure(one, found)
  return found
}

function measure(directory) {
  let [bytes, packages] = [0, 0]
  const visit = (path) => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const child = join(path, entry.name)
      if (entry.isDirectory()) visit(child)
      else bytes += lstatSync(child).size
    }
  }
  visit(directory)
  const count = (modules) => {
    for (const { name } of readdirSync(modules, { withFileTypes: true }).filter((one) =>
      one.isDirectory(),
    )) {
      if (name === '.bin' || name === '@netscript') continue
      const names = name.startsWith('@')
        ? readdirSync(join(modules, name)).map((one) => join(name, one))
        : [name]
      for (const one of names) {
        packages += 1
        const nested = join(modules, one, 'node_modules')
        try {
          count(nested)
        } catch (error) {
          if (error.code !== 'ENOENT') throw error
        }
      }
    }
  }
  count(directory)
  return { packages, megabytes: bytes / 1e6 }
}

const rows = [['package', 'packages of others', 'MB', 'goal', '']]
for (const name of tarballs.keys()) {
  const directory = join(scratch, name)
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'package.json'), '{"private":true}')
  const own = [...ownClosure(name)].map((one) => tarballs.get(one))
  npm(
    [
      'install',
      '--silent',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      '--prefer-offline',
      ...own,
    ],
    directory,
  )
  const { packages, megabytes } = measure(join(directory, 'node_modules'))
  const goal = GOALS[name]
  const isMet = !goal || (packages <= goal[0] && megabytes <= goal[1])
  if (!isMet) process.exitCode = 1
  rows.push([
    name,
    String(packages),
    megabytes.toFixed(2),
    goal ? goal.join(' / ') : '-',
    isMet ? '' : 'too large',
  ])
}
const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
for (const row of rows)
  console.log(
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  )
