import { strict as assert } from 'node:assert';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ROOT, runNode } from './repository-files.js';

const DEPCRUISE = path.join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const CONSOLE = ['server/console/src', 'server/console/fake-api'];
const WORKSPACES = ['proto/src', 'shared/src', 'server/src', ...CONSOLE, 'agent/src', 'test'];

/** A checkout with nothing but the given files in it, and the rules. */
function checkoutOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'curfew-layers-'));
  for (const name of ['.dependency-cruiser.cjs', 'tsconfig.base.json'])
    cpSync(path.join(ROOT, name), path.join(folder, name));
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'layers', private: true }));
  for (const workspace of WORKSPACES) mkdirSync(path.join(folder, workspace), { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  }
  return folder;
}

const check = (folder: string) =>
  runNode([DEPCRUISE, '--config', '.dependency-cruiser.cjs', '--output-type', 'err', ...WORKSPACES], folder);

const using = (file: string): string => `import { x } from '${file}';\nexport const y = x;\n`;
const X = 'export const x = 1;\n';

const BREACHES: readonly { readonly rule: string; readonly files: Readonly<Record<string, string>> }[] = [
  { rule: 'proto-is-a-leaf', files: { 'proto/src/a.ts': using('../../shared/src/x.js'), 'shared/src/x.ts': X } },
  { rule: 'shared-is-a-leaf', files: { 'shared/src/a.ts': using('../../proto/src/x.js'), 'proto/src/x.ts': X } },
  {
    rule: 'server-does-not-know-the-agent',
    files: { 'server/src/a.ts': using('../../agent/src/x.js'), 'agent/src/x.ts': X },
  },
  {
    rule: 'agent-does-not-know-the-server',
    files: { 'agent/src/a.ts': using('../../server/src/x.js'), 'server/src/x.ts': X },
  },
  {
    rule: 'workspaces-by-their-door',
    files: { 'agent/src/a.ts': using('../../shared/src/x.js'), 'shared/src/x.ts': X },
  },
  { rule: 'no-own-door', files: { 'shared/src/a.ts': using('./index.js'), 'shared/src/index.ts': X } },
  {
    rule: 'agent-core-is-pure',
    files: { 'agent/src/core/a.ts': "import { readFileSync } from 'node:fs';\nexport const y = readFileSync;\n" },
  },
  {
    rule: 'ports-know-no-adapters',
    files: { 'agent/src/ports/a.ts': using('../grants/x.js'), 'agent/src/grants/x.ts': X },
  },
  {
    rule: 'platforms-behind-their-ports',
    files: { 'agent/src/grants/a.ts': using('../platform/linux/x.js'), 'agent/src/platform/linux/x.ts': X },
  },
  {
    rule: 'platforms-do-not-know-each-other',
    files: { 'agent/src/platform/darwin/a.ts': using('../linux/x.js'), 'agent/src/platform/linux/x.ts': X },
  },
  { rule: 'person-cli-is-a-client', files: { 'agent/src/cli/a.ts': using('../core/x.js'), 'agent/src/core/x.ts': X } },
  {
    rule: 'operator-cli-is-a-client',
    files: { 'server/src/cli/a.ts': using('../ledger/x.js'), 'server/src/ledger/x.ts': X },
  },
  {
    rule: 'console-is-a-client',
    files: { 'server/console/src/a.ts': using('../../src/ledger/x.js'), 'server/src/ledger/x.ts': X },
  },
  {
    rule: 'console-runs-in-a-browser',
    files: { 'server/console/src/a.ts': using('../../../shared/src/x.js'), 'shared/src/x.ts': X },
  },
  {
    rule: 'server-does-not-know-the-console',
    files: { 'server/src/a.ts': using('../console/src/x.js'), 'server/console/src/x.ts': X },
  },
  { rule: 'programs-are-not-libraries', files: { 'agent/src/a.ts': using('./main.js'), 'agent/src/main.ts': X } },
  {
    rule: 'no-test-code-in-programs',
    files: { 'agent/src/a.ts': using('./fake-host.js'), 'agent/src/fake-host.ts': X },
  },
  { rule: 'open-telemetry-in-one-file', files: { 'server/src/a.ts': using('@opentelemetry/api') } },
  { rule: 'nothing-unresolvable', files: { 'agent/src/a.ts': using('./not-there.js') } },
  {
    rule: 'no-cycles',
    files: { 'shared/src/a.ts': `export * from './z.js';\n`, 'shared/src/z.ts': `export * from './a.js';\n` },
  },
];

/** The file that breaks a rule, named for the rule, so that all breaches fit into one checkout. */
const breaker = (rule: string, text: string): string => text.replace(/\ba\.(ts|js)\b/g, `breaks-${rule}.$1`);

const allBreaches = (): Record<string, string> =>
  Object.fromEntries(
    BREACHES.flatMap(({ rule, files }) =>
      Object.entries(files).map(([file, text]) => [breaker(rule, file), breaker(rule, text)] as const),
    ),
  );

describe('the layers', function () {
  this.timeout(300_000);
  let folder = '';
  let found = { exitCode: 0, output: '' };

  before(() => {
    folder = checkoutOf(allBreaches());
    found = check(folder);
  });

  after(() => {
    rmSync(folder, { recursive: true });
  });

  it('hold in the whole project', () => {
    const { exitCode, output } = check(ROOT);
    assert.equal(exitCode, 0, output);
  });

  it('a breach fails the check', () => {
    assert.notEqual(found.exitCode, 0, found.output);
  });

  for (const { rule } of BREACHES)
    it(`a breach of '${rule}' is found`, () => {
      assert.match(found.output, new RegExp(`error ${rule}: \\S*breaks-${rule}\\.ts`));
    });
});
