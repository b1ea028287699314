import tseslint from 'typescript-eslint'

export default tseslint.config(
  {
    ignores: [
      '**/dist',
      'prisma/generated',
      'server/pages/generated',
      '**/node_modules',
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
  {
    files: ['contract/**', 'client/**'],
    ignores: ['**/*.test.ts', 'client/examples/*/*.ts', 'client/examples/*/service/**'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: [{ group: ['node:*'], message: 'It runs in browsers.' }] },
      ],
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
      'openapi/compatibility/check.ts',
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
  {
    files: ['**/*.cts'],
    rules: { '@typescript-eslint/no-require-imports': ['error', { allowAsImport: true }] },
  },
  { files: ['**/*.mjs'], ...tseslint.configs.disableTypeChecked },
)
