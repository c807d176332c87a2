import assert from 'node:assert/strict';
import { decidersText } from './deciders-text.js';

describe('who decides', () => {
  const table = [
    { name: 'nobody named', steps: [], text: 'any approver' },
    { name: 'one step for everybody', steps: [{ approvals: 1 }], text: 'any approver' },
    { name: 'two of everybody', steps: [{ approvals: 2 }], text: '2 approvers' },
    {
      name: 'a user or a group',
      steps: [{ users: ['bob'], groups: ['on-call'] }],
      text: 'bob, or somebody of the group on-call',
    },
    {
      name: 'several of several, then any',
      steps: [{ users: ['bob'], groups: ['security'], approvals: 2 }, {}],
      text: '2 of: bob, group security, then any approver',
    },
  ];
  for (const { name, steps, text } of table)
    it(`is told for ${name}`, () => {
      assert.equal(decidersText(steps), text);
    });
});
