import { strict as assert } from 'node:assert';
import os from 'node:os';
import { jsonOf, projectFiles, ROOT, textOf } from './repository-files.js';

const BINARY = /\.(png|jpg|gif|ico|binpb|woff2?)$/;
const texts = (): string[] => projectFiles().filter((file) => !BINARY.test(file) && file !== 'package-lock.json');

/** Lines of the given files that fit, as 'file:line'. */
function linesWith(files: readonly string[], pattern: RegExp): string[] {
  return files.flatMap((file) =>
    textOf(file)
      .split('\n')
      .flatMap((line, at) => (pattern.test(line) ? [`${file}:${at + 1}`] : [])),
  );
}

describe('the sources', () => {
  it('name no folder of the machine that they were written on', () => {
    const homes = [ROOT, os.homedir()].filter((folder) => folder.split('/').length > 2);
    const escaped = homes.map((folder) => folder.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    if (escaped.length > 0) assert.deepEqual(linesWith(texts(), new RegExp(escaped.join('|'))), []);
  });

  it('leave no test out and prefer none', () => {
    const tests = projectFiles().filter((file) => file.endsWith('.test.ts'));
    assert.ok(tests.length > 0);
    const picked = new RegExp(`\\b(describe|it|context)\\.(only|skip)\\b|\\bthis\\.skip\\(|\\bx(it|describe)\\(`);
    assert.deepEqual(linesWith(tests, picked), []);
  });

  it('have no unfinished marks', () => {
    const mark = new RegExp(`\\b(${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')}|${['XX', 'X'].join('')})\\b`);
    assert.deepEqual(linesWith(texts(), mark), []);
  });

  it('carry no secret', () => {
    const samples = texts().filter((file) => !file.endsWith('.test.ts'));
    assert.deepEqual(
      linesWith(samples, /-----BEGIN [A-Z ]*PRIVATE KEY-----|\bcft1\.[\w-]{43}\b|\bcfj1\.[\w-]{32}\./),
      [],
    );
  });

  it('every daemon runs with the flags that take the sharpest tools from an attacker', () => {
    for (const file of ['agent/bin/curfew-agent.js', 'server/bin/curfew-server.js'])
      assert.match(textOf(file).split('\n')[0] ?? '', /--disable-proto=throw --disallow-code-generation-from-strings/);
  });
});

describe('the compiler settings', () => {
  const STRICT = [
    'strict',
    'noUncheckedIndexedAccess',
    'exactOptionalPropertyTypes',
    'noImplicitOverride',
    'noFallthroughCasesInSwitch',
    'verbatimModuleSyntax',
  ];

  it('are strict', () => {
    const options = jsonOf('tsconfig.base.json')['compilerOptions'] as Record<string, unknown>;
    for (const name of STRICT) assert.equal(options[name], true, name);
  });

  /** What a workspace says of its files and its platform; nothing of it makes the compiler look less closely. */
  const WHERE_AND_WHAT = ['rootDir', 'outDir', 'tsBuildInfoFile', 'types', 'lib', 'jsx', 'noEmit'];
  WHERE_AND_WHAT.push('composite', 'incremental', 'declaration', 'declarationMap');

  for (const workspace of jsonOf('package.json')['workspaces'] as string[])
    it(`${workspace} takes them and loosens none`, () => {
      const config = jsonOf(`${workspace}/tsconfig.json`);
      assert.equal(config['extends'], `${'../'.repeat(workspace.split('/').length)}tsconfig.base.json`);
      const own = Object.keys(config['compilerOptions'] as Record<string, unknown>);
      assert.deepEqual(
        own.filter((name) => !WHERE_AND_WHAT.includes(name)),
        [],
      );
    });
});
