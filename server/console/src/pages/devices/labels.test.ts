import assert from 'node:assert/strict';
import { labelProblems, labelRows, labelsOf } from './labels.js';

describe('labels', () => {
  it('are sorted by name, and come back as they were', () => {
    const labels = { site: 'berlin', env: 'production' };
    assert.deepEqual(
      labelRows(labels).map(({ name }) => name),
      ['env', 'site'],
    );
    assert.deepEqual(labelsOf([...labelRows(labels), { name: '', value: '' }]), labels);
  });

  it('are refused where a name or a value is no word, or a name comes twice', () => {
    const problems = labelProblems([
      { name: 'env', value: 'production' },
      { name: 'a b', value: 'x' },
      { name: 'x', value: '' },
      { name: 'env', value: 'ci' },
      { name: '', value: '' },
    ]);
    assert.deepEqual(
      problems.map((problem) => problem === undefined),
      [true, false, false, false, true],
    );
    assert.match(problems[3] ?? '', /another label/);
  });
});
