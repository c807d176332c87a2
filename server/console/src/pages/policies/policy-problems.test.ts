import assert from 'node:assert/strict';
import { ApiError } from '../../api/api-error.js';
import { formPath, problemAt, serverProblem } from './policy-problems.js';

describe('problems of a policy', () => {
  for (const [field, path] of [
    ['policies[0].spec.max_duration', 'max_duration'],
    ['policies.3.steps.0.users.1', 'steps.0.users.1'],
    ['policies[0].spec.autoApproval.maxDuration', 'auto_approval.max_duration'],
    ['policies[2].name', 'name'],
  ] as const)
    it(`are found at their place: ${field}`, () => {
      assert.equal(formPath(field), path);
    });

  it('are read from the field of an error, and else from its words', () => {
    const given = new ApiError('FIELD_INVALID', 'policies[0].spec.condition: is not CEL', 'policies[0].spec.condition');
    assert.deepEqual(serverProblem(given), { path: 'condition', problem: 'Is not CEL.' });
    const told = new ApiError('POLICY_INVALID', 'policies.0.default_duration: is longer than max_duration');
    assert.deepEqual(serverProblem(told), { path: 'default_duration', problem: 'Is longer than max_duration.' });
    assert.equal(serverProblem(new ApiError('POLICY_CHANGED', 'somebody else was faster')), undefined);
  });

  it('belong to every place around them', () => {
    const problems = [{ path: 'steps.0.users.1', problem: 'x' }];
    assert.equal(problemAt(problems, 'steps.0.users'), 'X.');
    assert.equal(problemAt(problems, 'steps.0'), 'X.');
    assert.equal(problemAt(problems, 'steps.01'), undefined);
  });
});
