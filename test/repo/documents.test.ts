import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ERRORS } from '@curfew/shared';
import { documents, jsonOf, projectFiles, ROOT, runNode, textOf } from './repository-files.js';

/** The code of a document's fenced blocks and inline code, one string each. */
const codeOf = (file: string): string[] =>
  [...textOf(file).matchAll(/```[a-z]*\n([\s\S]*?)```|`([^`\n]+)`/g)].map((match) => match[1] ?? match[2] ?? '');

describe('the generated pages', function () {
  this.timeout(300_000);

  it('are what the data gives', () => {
    const { exitCode, output } = runNode(['packaging/scripts/render-docs.mjs', '--check']);
    assert.equal(exitCode, 0, output);
  });

  it('ERRORS.md has every code once, and no other', () => {
    const listed = [...textOf('ERRORS.md').matchAll(/^\| `([A-Z_]+)`/gm)].map((match) => match[1] ?? '');
    assert.deepEqual([...listed].sort(), Object.keys(ERRORS).sort());
  });
});

describe('the documents', () => {
  it('link to nothing that is not there', () => {
    const dead: string[] = [];
    for (const file of documents())
      for (const [, target = ''] of textOf(file).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [linked = '', anchor] = target.split('#');
        const resolved = linked === '' ? file : path.posix.join(path.posix.dirname(file), linked);
        if (!existsSync(path.join(ROOT, resolved))) dead.push(`${file}: ${target}`);
        else if (anchor !== undefined && !anchors(resolved).has(anchor)) dead.push(`${file}: ${target}`);
      }
    assert.deepEqual(dead, []);
  });

  it('name no npm script that package.json does not have', () => {
    const scripts = new Set(Object.keys(jsonOf('package.json')['scripts'] as Record<string, string>));
    const missing = documents().flatMap((file) =>
      codeOf(file)
        .flatMap((code) => [...code.matchAll(/\bnpm (?:run (?:--silent )?([\w:-]+)|(test)\b)/g)])
        .map((match) => match[1] ?? match[2] ?? '')
        .filter((script) => !scripts.has(script))
        .map((script) => `${file}: npm run ${script}`),
    );
    assert.deepEqual(missing, []);
  });

  it('name no file of the project that is not there', () => {
    const files = projectFiles();
    const known = (name: string): boolean => files.some((file) => file === name || file.startsWith(`${name}/`));
    const missing = documents().flatMap((file) =>
      codeOf(file)
        .filter((code) => /^(proto|shared|server|agent|packaging|test|docs)\/[\w./-]+$/.test(code))
        .filter((code) => !known(code.replace(/\/$/, '')))
        .map((code) => `${file}: ${code}`),
    );
    assert.deepEqual(missing, []);
  });

  it('name no error code that does not exist', () => {
    const family = new RegExp(`^(${[...new Set(Object.keys(ERRORS).map((code) => code.split('_')[0]))].join('|')})_`);
    const missing = documents().flatMap((file) =>
      codeOf(file)
        .filter((code) => /^[A-Z]+(_[A-Z]+)+$/.test(code) && family.test(code) && !(code in ERRORS))
        .map((code) => `${file}: ${code}`),
    );
    assert.deepEqual(missing, []);
  });

  it('README has the two commands that a newcomer needs', () => {
    const readme = textOf('README.md');
    assert.match(readme, /npm run up/);
    assert.match(readme, /npm test/);
  });
});

/** The anchors that a page offers, as the usual Markdown readers make them from headings. */
function anchors(file: string): Set<string> {
  const headings = [...textOf(file).matchAll(/^#+ (.+)$/gm)].map((match) => match[1] ?? '');
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .trim()
        .replace(/\s/g, '-'),
    ),
  );
}
