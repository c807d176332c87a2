import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ROOT, textOf } from './repository-files.js';

interface Row {
  readonly id: string;
  readonly what: string;
  readonly tests?: readonly string[];
  readonly not?: string;
}

const DATA = 'packaging/scripts/security-tests.json';
const rows = (JSON.parse(textOf(DATA)) as { readonly rows: readonly Row[] }[]).flatMap((group) => group.rows);

/** The numbers of a letter, from the first to the last. */
const numbers = (letter: string, last: number): string[] =>
  Array.from({ length: last }, (_, at) => letter + String(at + 1).padStart(/[IR]/.test(letter) ? 1 : 2, '0'));

/** The titles of the tests and suites of a file, as they stand in it. */
const titlesOf = (file: string): string[] =>
  [
    ...textOf(file).matchAll(
      /\b(?:it|describe|describeOn)\(\s*(?:\[[^\]]*\],\s*)?('(?:[^'\\]|\\.)*'|"[^"]*"|`[^`]*`)/g,
    ),
  ].map(([, title = '']) => title.slice(1, -1).replaceAll("\\'", "'"));

/** What is the matter with a test that is named; '' when it is there. */
function problemOf(test: string): string {
  const at = test.indexOf(': ');
  const [file, title] = [test.slice(0, at), test.slice(at + 2)];
  if (!/^[\w./-]+\.ts$/.test(file) || title === '') return `not 'file: title': ${test}`;
  if (!existsSync(path.join(ROOT, file))) return `no such file: ${file}`;
  return titlesOf(file).some((one) => one.includes(title)) ? '' : `no such test: ${test}`;
}

describe('the page of security tests', () => {
  it('names tests that are there', () => {
    const problems = rows.flatMap(({ id, tests = [] }) => tests.map((test) => [id, problemOf(test)] as const));
    assert.deepEqual(
      problems.filter(([, problem]) => problem !== ''),
      [],
    );
  });

  it('has a test or a reason for everything, and every number once', () => {
    assert.deepEqual(
      rows.filter(({ tests, not }) => tests === undefined && not === undefined),
      [],
    );
    const whole = [
      ...numbers('I', 22),
      ...['I1b', 'I1c'],
      ...numbers('R', 15),
      ...[...numbers('A', 30), ...numbers('B', 24), ...numbers('C', 28), ...numbers('D', 8), ...numbers('E', 10)],
    ];
    assert.deepEqual(rows.map(({ id }) => id).sort(), whole.sort());
  });

  it('would tell of a test that is gone', () => {
    assert.match(problemOf('test/repo/security-tests.test.ts: walks on water'), /no such test/);
    assert.match(problemOf('test/repo/none.test.ts: is there'), /no such file/);
    assert.equal(problemOf('test/repo/security-tests.test.ts: names tests that are there'), '');
  });
});
