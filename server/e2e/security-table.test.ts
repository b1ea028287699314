import { access, readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'

const ROOT = new URL('../../', import.meta.url)

it('every file that SECURITY.md names is there', async () => {
  const text = await readFile(new URL('SECURITY.md', ROOT), 'utf8')
  const named = [...text.matchAll(/`([a-z-]+\/[\w./-]+\.ts)`/g)].map(([, file = '']) => file)
  expect(named.length).toBeGreaterThan(60)
  const missing: string[] = []
  for (const file of new Set(named)) {
    await access(new URL(file, ROOT)).catch(() => missing.push(file))
  }
  expect(missing).toEqual([])
})
