import assert from 'node:assert/strict';
import { nextStep, type GrantFacts, type Step } from './next-step.js';

const FACTS: GrantFacts = {
  state: 'starting',
  phase: 'finding',
  expiresAtMs: 10,
  untilMs: null,
  connectorDisabled: false,
};

describe('what is to be done for a session at its resource', () => {
  const CASES: readonly { readonly name: string; readonly facts: Partial<GrantFacts>; readonly step: Step }[] = [
    { name: 'begins by finding the person', facts: {}, step: 'find' },
    { name: 'adds again what it intended before it was stopped', facts: { phase: 'adding' }, step: 'add' },
    { name: 'begins nothing through a disabled connector', facts: { connectorDisabled: true }, step: 'refuse' },
    { name: 'goes on with nothing through one', facts: { phase: 'adding', connectorDisabled: true }, step: 'refuse' },
    { name: 'rests when all is said', facts: { state: 'active', phase: 'held', untilMs: 10 }, step: 'rest' },
    { name: 'tells another end', facts: { state: 'active', phase: 'held', untilMs: 9 }, step: 'extend' },
    { name: 'closes what was never begun', facts: { state: 'ending' }, step: 'close' },
    { name: 'takes away what may be there', facts: { state: 'ending', phase: 'adding' }, step: 'remove' },
    { name: 'takes away what is there', facts: { state: 'ending', phase: 'held' }, step: 'remove' },
    {
      name: 'takes away through a disabled connector',
      facts: { state: 'ending', phase: 'held', connectorDisabled: true },
      step: 'remove',
    },
    { name: 'closes what is gone', facts: { state: 'ending', phase: 'gone' }, step: 'close' },
    { name: 'rests when it is over', facts: { state: 'ended', phase: 'gone' }, step: 'rest' },
  ];
  for (const { name, facts, step } of CASES)
    it(name, () => {
      assert.equal(nextStep({ ...FACTS, ...facts }), step);
    });
});
