import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const DIRECTORY = new URL('./', import.meta.url)
const sources = readdirSync(DIRECTORY)
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => readFileSync(new URL(file, DIRECTORY), 'utf8'))
  .join('\n')

it('TROUBLESHOOTING.md has every finding that needs a fix, and no other', () => {
  const guide = readFileSync(new URL('../../TROUBLESHOOTING.md', DIRECTORY), 'utf8')
  const [, findings = ''] = guide.split(/^## .*$/m)
  const listed = findings
    .split('\n')
    .flatMap((line) => [...(/^\| ([^|]*)\|/.exec(line)?.[1] ?? '').matchAll(/`([A-Z_]+)`/g)])
    .map(([, code = '']) => code)
  const reported = [
    ...sources.matchAll(/\b(?:warn|fail|failWith|warnWith|clockFinding)\(\s*'([A-Z_]+)'/g),
  ].map(([, code = '']) => code)
  expect(reported.length).toBeGreaterThan(20)
  expect(reported.filter((code) => !listed.includes(code))).toEqual([])
  expect(listed.filter((code) => !sources.includes(`'${code}'`))).toEqual([])
})
