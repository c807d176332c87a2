import assert from 'node:assert/strict';
import { comparePlan, type LedgerView } from './compare-plan.js';

const NOTHING: LedgerView = { isFirst: false, ours: [], past: [], removed: [], known: [] };
const subject = (id: string) => ({ id, label: id });
const kinds = (view: Partial<LedgerView>, members: readonly string[]) =>
  comparePlan({ ...NOTHING, ...view }, members.map(subject)).differences.map(({ kind, subject: { id } }) => [kind, id]);

describe('a comparison of a resource with the ledger', () => {
  it('takes those who are there at first for those who were there before us', () => {
    const plan = comparePlan({ ...NOTHING, isFirst: true }, [subject('a'), subject('b')]);
    assert.deepEqual([plan.differences, plan.known], [[], [subject('a'), subject('b')]]);
  });

  it('finds whoever came since, again and again, until they are gone', () => {
    const known = [subject('a')];
    const plan = comparePlan({ ...NOTHING, known }, [subject('a'), subject('b')]);
    assert.deepEqual(plan.known, known, 'they do not become known by being there');
    assert.deepEqual(kinds({ known }, ['a', 'b']), [['added_by_hand', 'b']]);
    assert.deepEqual(kinds({ known }, ['a']), []);
  });

  it('forgets whoever left, so that they are new when they come back', () => {
    const plan = comparePlan({ ...NOTHING, known: [subject('a')] }, []);
    assert.deepEqual(plan.known, []);
  });

  it('does not wonder at what is ours, and asks for what is missing', () => {
    const ours = [
      { sessionId: 's1', subjectId: 'a', isActive: true },
      { sessionId: 's2', subjectId: 'b', isActive: true },
      { sessionId: 's3', subjectId: 'c', isActive: false },
    ];
    const plan = comparePlan({ ...NOTHING, ours }, [subject('a'), subject('c')]);
    assert.deepEqual([plan.missing, plan.differences, plan.known], [['s2'], [], []]);
  });

  it('does not wonder at what an operator has said is well, until it is gone and comes back', () => {
    const past = [{ sessionId: 's1', subjectId: 'a' }];
    const known = [subject('a')];
    const accepted = comparePlan({ ...NOTHING, past, known }, [subject('a')]);
    assert.deepEqual([accepted.differences, accepted.known], [[], known]);
    assert.deepEqual(comparePlan({ ...NOTHING, past, known }, []).known, []);
    assert.deepEqual(kinds({ past }, ['a']), [['back_after_end', 'a']]);
  });

  it('keeps what was removed by hand in sight, until it is there again or given again', () => {
    const removed = [{ sessionId: 's1', subject: subject('a') }];
    assert.deepEqual(kinds({ removed }, []), [['removed_by_hand', 'a']]);
    assert.deepEqual(kinds({ removed, past: [{ sessionId: 's1', subjectId: 'a' }] }, ['a']), [['back_after_end', 'a']]);
    const ours = [{ sessionId: 's2', subjectId: 'a', isActive: true }];
    assert.deepEqual(kinds({ removed, ours }, ['a']), []);
  });

  it('finds what is back after its end, at the first comparison too, and names the newest session', () => {
    const past = [
      { sessionId: 's2', subjectId: 'a' },
      { sessionId: 's1', subjectId: 'a' },
    ];
    for (const isFirst of [true, false]) {
      const { differences, known } = comparePlan({ ...NOTHING, isFirst, past }, [subject('a')]);
      assert.deepEqual(
        [differences, known],
        [[{ kind: 'back_after_end', subject: subject('a'), sessionId: 's2' }], []],
      );
    }
  });
});
