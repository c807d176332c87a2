/**
 * The layers. Each ban says why it is there; ARCHITECTURE.md has the picture.
 * Checked on sources, types included: a type import ties two files together as well.
 * @type {import('dependency-cruiser').IConfiguration}
 */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Files that need each other are one file in two places; neither can be understood or tested alone.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'proto-is-a-leaf',
      comment:
        'The schema is the contract with outsiders. If it knew our code, a change of code would change the wire.',
      severity: 'error',
      from: { path: '^proto/' },
      to: { path: '^(shared|server|agent|test)/' },
    },
    {
      name: 'shared-is-a-leaf',
      comment: 'shared holds words and rules. Converters to generated types live at the edges, in server and agent.',
      severity: 'error',
      from: { path: '^shared/' },
      to: { path: '^(proto|server|agent|test)/' },
    },
    {
      name: 'server-does-not-know-the-agent',
      comment: 'They run on different machines in different versions; only the schema may tie them together.',
      severity: 'error',
      from: { path: '^server/' },
      to: { path: '^(agent|test)/' },
    },
    {
      name: 'agent-does-not-know-the-server',
      comment: 'They run on different machines in different versions; only the schema may tie them together.',
      severity: 'error',
      from: { path: '^agent/' },
      to: { path: '^(server|test)/' },
    },
    {
      name: 'workspaces-by-their-door',
      comment:
        'A workspace is used through its package name, so that its inside can change. shared has a second door, ' +
        '@curfew/shared/cli, so that the tools start without loading what only the daemons need, and a third, ' +
        '@curfew/shared/browser, for what needs no Node.',
      severity: 'error',
      from: { path: '^(proto|shared|server|agent)/' },
      to: {
        path: '^(proto|shared|server|agent)/',
        pathNot: ['^$1/', '^[a-z]+/(src|dist)/((cli|browser)/)?index\\.(ts|js|d\\.ts)$'],
      },
    },
    {
      name: 'no-own-door',
      comment: 'Inside a workspace the file itself is imported: going through index.ts makes cycles and slow starts.',
      severity: 'error',
      from: { path: '^(shared|server|agent)/src/', pathNot: '/index\\.ts$' },
      to: { path: '^$1/src/index\\.ts$' },
    },
    {
      name: 'agent-core-is-pure',
      comment: 'What is held and when it ends is decided from data alone, so that every case can be tried in a test.',
      severity: 'error',
      from: { path: '^agent/src/core/', pathNot: '\\.test\\.ts$' },
      to: {
        pathNot: ['^agent/src/(core|ports)/', '^shared/', '^node:(crypto|buffer)$', '^(crypto|buffer)$'],
      },
    },
    {
      name: 'ports-know-no-adapters',
      comment: 'A port says what is needed. If it knew one adapter, the others could not be written against it.',
      severity: 'error',
      from: { path: '^agent/src/ports/', pathNot: ['\\.test\\.ts$', '-contract\\.ts$'] },
      to: { pathNot: ['^agent/src/ports/', '^shared/', '^(node:)?stream$'] },
    },
    {
      name: 'platforms-behind-their-ports',
      comment: 'Which operating system this is, is decided once, in choose-platform. Nothing else may know.',
      severity: 'error',
      from: {
        path: '^agent/src/',
        pathNot: [
          '^agent/src/platform/',
          '^agent/src/(main|unix-parts|windows-parts)\\.ts$',
          'choose-platform',
          '\\.test\\.ts$',
        ],
      },
      to: { path: '^agent/src/platform/(unix|linux|darwin|windows|unsupported)/' },
    },
    {
      name: 'platforms-do-not-know-each-other',
      comment: 'A change for one operating system must not be able to break another.',
      severity: 'error',
      from: { path: '^agent/src/platform/(linux|darwin|windows|unsupported)/' },
      to: { path: '^agent/src/platform/(linux|darwin|windows|unsupported)/', pathNot: '^agent/src/platform/$1/' },
    },
    {
      name: 'person-cli-is-a-client',
      comment: 'curfew talks to the agent over its socket like anybody else; it has no rights of its own to lend.',
      severity: 'error',
      from: { path: '^agent/src/cli/', pathNot: '\\.test\\.ts$' },
      to: { path: '^agent/src/(core|grants|link|platform)/' },
    },
    {
      name: 'operator-cli-is-a-client',
      comment: 'curfewctl may do only what the API lets it do: it never reaches into the server or its ledger.',
      severity: 'error',
      from: { path: '^server/src/cli/', pathNot: '\\.test\\.ts$' },
      to: { path: '^server/src/', pathNot: '^server/src/(cli/|version\\.ts$)' },
    },
    {
      name: 'console-is-a-client',
      comment: 'The console may do only what the API lets it do: it never reaches into the server.',
      severity: 'error',
      from: { path: '^server/console/' },
      to: { path: ['^server/src/', '^proto/'] },
    },
    {
      name: 'console-runs-in-a-browser',
      comment:
        'What runs in a browser takes of shared only what runs there too. The fake API and the tests run in Node.',
      severity: 'error',
      from: { path: '^server/console/src/', pathNot: '\\.test\\.ts$' },
      to: { path: '^shared/(src|dist)/(?!browser/)' },
    },
    {
      name: 'server-does-not-know-the-console',
      comment: 'The server serves the built files of the console; it never imports its code.',
      severity: 'error',
      from: { path: '^server/src/' },
      to: { path: '^server/console/' },
    },
    {
      name: 'fake-api-stays-outside',
      comment: 'A fake that can be reached from the page will one day be served with it.',
      severity: 'error',
      from: { path: '^server/console/src/' },
      to: { path: '^server/console/fake-api/' },
    },
    {
      name: 'database-driver-stays-in-the-ledger',
      comment:
        'Queries are written with Kysely for any dialect; only the ledger knows which database answers them. Recordings are a file of their own behind a port.',
      severity: 'error',
      from: { path: '^server/src/', pathNot: ['^server/src/(ledger|recordings)/', '\\.test\\.ts$'] },
      to: { path: 'node_modules/better-sqlite3/' },
    },
    {
      name: 'open-telemetry-in-one-file',
      comment:
        'Its packages are optional and change often: who is traced asks a port of ours, and one file knows what is behind it.',
      severity: 'error',
      from: { path: '^(proto|shared|server|agent)/', pathNot: '^server/src/tracing/open-telemetry\\.ts$' },
      to: { path: '(^|node_modules/)@opentelemetry/' },
    },
    {
      name: 'programs-are-not-libraries',
      comment: 'main.ts builds the adapters and starts; whoever imports it would start a program.',
      severity: 'error',
      from: {},
      to: { path: '^(server|agent)/src/(cli/)?main\\.ts$' },
    },
    {
      name: 'no-test-code-in-programs',
      comment: 'A fake that can be reached from a program will one day run in it.',
      severity: 'error',
      from: {
        path: '^(proto|shared|server|agent)/',
        pathNot: ['\\.test\\.ts$', '/fake-[a-z-]+\\.ts$', '-contract\\.ts$', '^server/console/fake-api/'],
      },
      to: { path: '(\\.test\\.ts$|/fake-[a-z-]+\\.ts$|-contract\\.ts$)' },
    },
    {
      name: 'declared-dependencies-only',
      comment: 'A package that is there by accident is gone by accident.',
      severity: 'error',
      from: { path: '^(proto|shared|server|agent|test)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
    {
      name: 'nothing-unresolvable',
      comment: 'An import that cannot be found fails at run time.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '(^|/)dist/', '^server/console/build/', '^proto/src/gen/'] },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
    },
    progress: { type: 'none' },
  },
};
