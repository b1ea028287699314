import tseslint from 'typescript-eslint'

/** The arrows of the house: a folder imports from those listed, and from itself. */
const ARROWS = {
  contract: [],
  openapi: ['contract'],
  client: ['contract'],
  prisma: [],
  backends: ['contract', 'prisma'],
  server: ['contract', 'openapi', 'client', 'prisma', 'backends'],
}

const folders = Object.keys(ARROWS)

const forbiddenTo = (folder) =>
  folders.filter((other) => other !== folder && !ARROWS[folder].includes(other))

const arrowsOf = (folder) =>
  forbiddenTo(folder).length > 0
    ? [
        {
          group: forbiddenTo(folder).map((other) => `**/${other}/**`),
          message: `${folder}/ may import from: ${ARROWS[folder].join(', ') || 'nothing else'}.`,
        },
      ]
    : []

const arrowRules = folders.map((folder) => ({
  files: [`${folder}/**/*.{ts,tsx}`],
  ignores: ['**/*.test.ts', '**/*.test-d.ts', 'server/e2e/**'],
  rules: {
    '@typescript-eslint/no-restricted-imports': [
      'error',
      {
        patterns: [
          ...arrowsOf(folder),
          ...(['contract', 'client'].includes(folder)
            ? [{ group: ['node:*'], message: `${folder}/ runs in browsers.` }]
            : []),
        ],
      },
    ],
  },
}))

export default tseslint.config(
  {
    ignores: [
      'dist',
      'prisma/generated',
      'server/pages/generated',
      'node_modules',
      'coverage',
      'reference',
      '.data',
    ],
  },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.mjs'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      'no-console': 'error',
    },
  },
  ...arrowRules,
  {
    // The services of the examples run in Node.
    files: ['client/examples/*/*.ts', 'client/examples/*/service/**'],
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: arrowsOf('client') }],
    },
  },
  {
    files: [
      'server/cli/**',
      'server/local/run-example.ts',
      'client/examples/*/service/**',
      '**/*.mjs',
      '**/*.test.ts',
      'server/e2e/**',
      'openapi/write.ts',
      'openapi/compatibility/{check,release}.ts',
      '*.config.ts',
      'prisma/*.ts',
    ],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.test.ts', 'server/e2e/**'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
  { files: ['**/*.mjs'], ...tseslint.configs.disableTypeChecked },
)
