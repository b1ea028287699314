import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../config/config.js'
import { VARIABLES } from '../config/variables.js'

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

interface ComposeService {
  image?: string
  environment?: Record<string, string | number>
  ports?: string[]
  networks?: string[]
  volumes?: string[]
  [key: string]: unknown
}

const { services, networks } = parse(read('compose.yaml')) as {
  services: Record<'postgres' | 'auth' | 'proxy', ComposeService>
  networks: Record<string, { internal?: boolean } | null>
}
const { postgres, auth, proxy } = services

/** What an operator fills in. */
const example = Object.fromEntries(
  [...read('server/deploy/env.example').matchAll(/^([A-Z_]+)=(.*)$/gm)].map(
    ([, name = '', value = '']) => [name, value],
  ),
)
const filledIn: Record<string, string> = {
  ...example,
  NETSCRIPT_AUTH_CLIENT_ID: 'client',
  NETSCRIPT_AUTH_CLIENT_SECRET: 'client-secret',
  NETSCRIPT_AUTH_KV_OAUTH_KEY: Buffer.alloc(32, 1).toString('base64url'),
  NETSCRIPT_AUTH_AUDIT_SALT: 'a'.repeat(64),
  POSTGRES_PASSWORD: 'b'.repeat(64),
}
const interpolate = (value: string | number): string =>
  String(value).replace(/\$\{(\w+)[^}]*\}/g, (_, name: string) => filledIn[name] ?? '')

const environmentOf = ({ environment = {} }: ComposeService): Record<string, string> =>
  Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, interpolate(value)]))

describe('compose.yaml', () => {
  it('gives the service a valid production configuration', () => {
    const config = readConfig({ ...filledIn, ...environmentOf(auth) }, { production: true })
    expect(config.origin).toBe('https://auth.example.com')
    expect(config.variables.DATABASE_URL).toBe(
      `postgres://auth:${'b'.repeat(64)}@postgres:5432/auth`,
    )
    expect(environmentOf(postgres).POSTGRES_PASSWORD).toBe('b'.repeat(64))
    expect(config.variables.NETSCRIPT_AUTH_TRUST_PROXY).toBe('uniquelocal')
    for (const name of Object.keys({ ...example, ...auth.environment })) {
      expect([...Object.keys(VARIABLES), 'POSTGRES_PASSWORD']).toContain(name)
    }
  })

  it('rejects values that are not filled in', () => {
    const start = () => readConfig({ ...example, ...environmentOf(auth) }, { production: true })
    expect(start).toThrow(/NETSCRIPT_AUTH_/)
  })

  it('runs two processes that wait for the database and shut down gracefully', () => {
    expect(auth).toMatchObject({
      build: '.',
      env_file: '.env',
      deploy: { replicas: 2 },
      depends_on: { postgres: { condition: 'service_healthy' } },
      stop_grace_period: '20s',
      read_only: true,
    })
    expect(postgres.healthcheck).toMatchObject({ test: expect.arrayContaining(['pg_isready']) })
  })

  it('publishes the proxy and nothing else: no database, no metrics', () => {
    expect(proxy.ports).toEqual(['80:80', '443:443'])
    expect(auth.ports).toBeUndefined()
    expect(postgres.ports).toBeUndefined()
    expect(postgres.networks).toEqual(['database'])
    expect(proxy.networks).toEqual(['front'])
    expect(auth.networks).toEqual(['front', 'database', 'observed'])
    expect(networks.database?.internal).toBe(true)
    expect(networks.observed?.internal).toBe(true)
  })

  it('has a proxy that forwards to the service by name and port', () => {
    expect(proxy.volumes).toContain('./server/deploy/Caddyfile:/etc/caddy/Caddyfile:ro')
    const caddyfile = read('server/deploy/Caddyfile')
    expect(caddyfile).toContain('name auth')
    expect(caddyfile).toContain(`port ${auth.environment?.PORT}`)
    expect(Object.keys(proxy.environment ?? {})).toEqual(
      [...caddyfile.matchAll(/\{\$(\w+)/g)].map(([, name]) => name),
    )
  })

  it('holds no secret', () => {
    const secrets = ['KEY', 'SECRET', 'PASSWORD', 'SALT']
    for (const [name, value] of Object.entries(example)) {
      if (secrets.some((word) => name.endsWith(word))) expect(value, name).toBe('')
    }
  })
})
