import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { presetNames, providerFromPreset } from './presets.js'

/** Required options of presets with a domain per customer. */
const CUSTOMER = { domain: 'customer.example', region: 'eu-west-1', userPoolId: 'eu-west-1_a' }

it('the guide lists every preset with its scopes', async () => {
  const guide = await readFile(new URL('README.md', import.meta.url), 'utf8')
  const rows = [...guide.matchAll(/^\| `([\w-]+)` +\| `([^`]+)` +\|/gm)]
  const client = { clientId: 'client', redirectUri: 'https://auth.example/api/v1/auth/callback' }
  expect(rows.map(([, id, scopes]) => [id, scopes])).toEqual(
    presetNames.map((id) => [
      id,
      providerFromPreset(id, { ...client, ...CUSTOMER }).scopes.join(' '),
    ]),
  )
})
