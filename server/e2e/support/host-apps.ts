/** What the guides install, and what an app of each framework has already. */
export const INSTALLED: Readonly<Record<string, string>> = {
  '@netscript/plugin-auth': 'latest',
  '@netscript/auth-guard': 'latest',
  express: '5',
  fastify: '5',
  hono: '4',
  '@hono/node-server': '2',
  '@orpc/server': '1',
  '@orpc/contract': '1',
  '@types/express': '5',
  tsx: '4',
  next: '16',
  react: '19',
  'react-dom': '19',
  typescript: '5',
  '@types/node': '22',
  '@types/react': '19',
  svelte: '5',
  '@sveltejs/kit': '2',
  '@sveltejs/adapter-node': '5',
  '@sveltejs/vite-plugin-svelte': '6',
  vite: '7',
  'react-router': '7.18.4',
  '@react-router/dev': '7.18.4',
  '@react-router/node': '7.18.4',
  '@react-router/serve': '7.18.4',
  isbot: '5',
  bun: '1',
  deno: '2',
}

/** Files that an app has before it follows the guide, by the heading of the guide. */
export const APPS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ...{ Express: {}, 'node:http': {}, Fastify: {}, Hono: {}, Bun: {}, Deno: {} },
  'Next.js': {
    'app/layout.tsx': `export default function Layout({ children }: { children: React.ReactNode }) {
  return <html lang="en"><body>{children}</body></html>
}`,
    'tsconfig.json': `{ "compilerOptions": { "strict": true, "paths": { "@/*": ["./*"] } } }`,
  },
  SvelteKit: {
    'svelte.config.js': `import adapter from '@sveltejs/adapter-node'
export default { kit: { adapter: adapter() } }`,
    'vite.config.ts': `import { sveltekit } from '@sveltejs/kit/vite'
export default { plugins: [sveltekit()] }`,
    'src/app.html':
      '<html lang="en"><head>%sveltekit.head%</head><body>%sveltekit.body%</body></html>',
  },
  'React Router': {
    'package.json': `{ "type": "module", "dependencies": { "@react-router/node": "7", "isbot": "5" } }`,
    'vite.config.ts': `import { reactRouter } from '@react-router/dev/vite'
export default { plugins: [reactRouter()] }`,
    'app/root.tsx': `import { Outlet } from 'react-router'
export default function Root() {
  return <html lang="en"><body><Outlet /></body></html>
}`,
  },
}

/** The section of a guide to guards that is followed beside each host. */
export const GUARDS: Readonly<Record<string, string>> = {
  Express: 'Protecting a service',
  'node:http': 'oRPC',
  Deno: 'Deno, workers and other Fetch hosts',
  ...{ Fastify: 'Fastify', Hono: 'Hono', Bun: 'Bun' },
  ...{ 'Next.js': 'Next.js', SvelteKit: 'SvelteKit', 'React Router': 'React Router' },
}
