import { randomUUID } from 'node:crypto'
import { describe, it } from 'vitest'
import { toAuthnRequest } from '../index.js'
import { runAuthBackendConformance } from './index.js'
import { createFourthBackend } from './testing/fourth-backend.js'

const { backend, signIn } = createFourthBackend(randomUUID())

runAuthBackendConformance(
  {
    name: 'fourth',
    create: async () => backend,
    async signIn(_backend, as) {
      const known = as && (await backend.authenticate(toAuthnRequest(as)))
      const setCookie = signIn(known?.ok ? known.user.id : randomUUID())
      return { headers: { cookie: setCookie.split(';')[0] ?? '' } }
    },
  },
  { describe, it },
)
