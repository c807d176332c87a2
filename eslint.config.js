import { basename } from 'node:path';
import { defineConfig, globalIgnores } from 'eslint/config';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

const WAITING = 'Take a Clock from @curfew/shared: time that cannot be moved by a test cannot be tested.';
const CHANCE = 'Take a Random from @curfew/shared.';

/** Names that say nothing about what is inside; such files grow without end. */
const EMPTY_NAMES = ['utils', 'util', 'helpers', 'helper', 'common', 'misc', 'types'];

const fileNames = {
  meta: { type: 'problem', schema: [], docs: { description: 'kebab-case file names that name one concept' } },
  create: (context) => ({
    Program(node) {
      const stem = basename(context.filename).replace(/(\.(test|d|config))?\.[cm]?[jt]sx?$/, '');
      if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(stem))
        context.report({ node, message: `file name '${stem}' is not kebab-case` });
      if (EMPTY_NAMES.includes(stem))
        context.report({ node, message: `file name '${stem}' says nothing; name the concept` });
    },
  }),
};

const curfew = { rules: { 'file-names': fileNames } };

/** Syntax that is banned in all TypeScript. */
const SHAPE = [
  { selector: 'ExportDefaultDeclaration', message: 'Named exports only: one name per idea, everywhere.' },
  { selector: 'TSEnumDeclaration', message: "Use an 'as const' object or array and a union." },
];

/** Ways to read a clock, to wait or to roll dice without being given a Clock or a Random. */
const AMBIENT = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: WAITING },
  { selector: "CallExpression[callee.name='Date']", message: WAITING },
  { selector: "MemberExpression[object.name='Date'][property.name='now']", message: WAITING },
  { selector: "MemberExpression[object.name='performance'][property.name='now']", message: WAITING },
  { selector: "MemberExpression[object.name='process'][property.name=/^(hrtime|uptime)$/]", message: WAITING },
  { selector: "MemberExpression[object.name='Math'][property.name='random']", message: CHANCE },
  { selector: "MemberExpression[object.name='AbortSignal'][property.name='timeout']", message: WAITING },
];

const TIMERS = ['setTimeout', 'setInterval', 'setImmediate'].map((name) => ({ name, message: WAITING }));

const TIMER_MODULES = ['node:timers', 'node:timers/promises', 'timers', 'timers/promises', 'node:perf_hooks'].map(
  (name) => ({ name, message: WAITING }),
);

export default defineConfig(
  globalIgnores([
    '**/dist/',
    'server/console/build/',
    '**/gen/',
    '**/node_modules/',
    '.curfew/',
    'coverage/',
    'packaging/cache/',
  ]),

  {
    files: ['**/*.{js,mjs,cjs}'],
    plugins: { curfew },
    languageOptions: {
      globals: Object.fromEntries(
        ['process', 'console', 'Buffer', 'URL', 'AbortController', 'AbortSignal', 'fetch', 'TextDecoder', 'TextEncoder']
          .concat(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'performance'])
          .map((name) => [name, 'readonly']),
      ),
    },
    rules: {
      'max-lines': ['error', { max: 400 }],
      ...Object.fromEntries(
        ['eqeqeq', 'prefer-const', 'no-undef', 'no-unused-vars', 'no-unreachable', 'no-fallthrough', 'no-var']
          .concat(['no-constant-condition', 'no-dupe-keys', 'no-self-assign', 'no-unsafe-finally', 'require-yield'])
          .map((rule) => [rule, 'error']),
      ),
    },
  },
  { files: ['packaging/**/*.mjs', '*/bin/*.js'], plugins: { curfew }, rules: { 'curfew/file-names': 'error' } },
  { files: ['**/*.cjs'], languageOptions: { sourceType: 'commonjs', globals: { module: 'writable' } } },

  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { curfew },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'curfew/file-names': 'error',
      'no-restricted-syntax': ['error', ...SHAPE, ...AMBIENT],
      'no-restricted-globals': ['error', ...TIMERS],
      'no-restricted-imports': ['error', { paths: TIMER_MODULES }],
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 80 }],
      eqeqeq: 'error',
      'no-console': 'error',
      'no-control-regex': 'error',
      'no-fallthrough': 'error',
      'no-unsafe-finally': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // A port is asynchronous because one of its adapters is; the others have nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      // Some libraries' own types do not know their classes' ancestors (winston's transports).
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // Both ways read well; the choice is the author's.
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/prefer-nullish-coalescing': 'off',
      '@typescript-eslint/no-empty-function': 'off',
    },
  },

  // The adapters of time and chance, and the programs whose output is the terminal.
  {
    files: ['shared/src/clock.ts', 'shared/src/random.ts'],
    rules: {
      'no-restricted-globals': 'off',
      'no-restricted-imports': 'off',
      'no-restricted-syntax': ['error', ...SHAPE],
    },
  },
  { files: ['*/src/cli/**/*.ts'], rules: { 'no-console': 'off' } },

  // The console. Its own adapters of time and chance are the only ones that a browser needs.
  {
    files: ['server/console/src/**/*.{ts,tsx}'],
    plugins: { 'react-hooks': reactHooks },
    rules: {
      'react-hooks/rules-of-hooks': 'error',
      'react-hooks/exhaustive-deps': 'error',
      // An event handler may be asynchronous: what it throws is shown by the mutation that it runs.
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
    },
  },
  {
    files: ['server/console/src/clock/browser-clock.ts'],
    rules: { 'no-restricted-globals': 'off', 'no-restricted-syntax': ['error', ...SHAPE] },
  },
  { files: ['server/console/vite.config.ts'], rules: { 'no-restricted-syntax': 'off' } },
  {
    files: ['server/console/public/*.js'],
    languageOptions: {
      sourceType: 'script',
      globals: { document: 'readonly', localStorage: 'readonly', matchMedia: 'readonly' },
    },
  },

  {
    files: ['**/*.test.ts', '**/*-contract.ts', 'test/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 800 }],
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-expressions': 'off',
    },
  },
  // Real processes on real clocks: measuring when something happens is what these suites are for.
  {
    files: ['test/{e2e,faults,bench,fuzz,support,console}/**/*.ts'],
    rules: {
      'no-console': 'off',
      'no-restricted-globals': 'off',
      'no-restricted-imports': 'off',
      'no-restricted-syntax': ['error', ...SHAPE],
    },
  },
);
