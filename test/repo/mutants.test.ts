import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ROOT, textOf } from './repository-files.js';

interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly search: string;
  readonly replace: string;
  readonly tests: readonly string[];
}

const MUTANTS = JSON.parse(textOf('packaging/scripts/mutants.json')) as readonly Mutant[];

/** The source of a compiled test. */
const sourceOf = (test: string): string =>
  test.startsWith('test/dist/')
    ? test.replace('test/dist/', 'test/').replace(/\.js$/, '.ts')
    : test.replace('/dist/', '/src/').replace(/\.js$/, '.ts');

describe('the mutants', () => {
  it('each fit their source, in one place, and change it', () => {
    const wrong = MUTANTS.filter(
      ({ file, search, replace }) => textOf(file).split(search).length !== 2 || search === replace,
    );
    assert.deepEqual(
      wrong.map(({ name, file }) => `${name}: ${file}`),
      [],
    );
  });

  it('are at least 25, each under its own name, with tests that are there', () => {
    assert.ok(MUTANTS.length >= 25);
    assert.equal(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length);
    for (const { name, tests } of MUTANTS) {
      assert.ok(tests.length > 0, name);
      for (const test of tests) assert.ok(existsSync(path.join(ROOT, sourceOf(test))), `${name}: ${test}`);
    }
  });
});
