import { defineConfig } from 'prisma/config'

const url = process.env.DATABASE_URL

export default defineConfig({
  schema: 'prisma/schema',
  migrations: { path: 'prisma/migrations' },
  // Without DATABASE_URL `generate` works, and what needs a database says that it is missing.
  ...(url && { datasource: { url } }),
})
