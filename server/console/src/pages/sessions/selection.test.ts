import assert from 'node:assert/strict';
import { sessionFromProto, type SessionView } from '../../model/session.js';
import { afterChanges, isSelected, NOTHING, selectedCount, tick } from './selection.js';

const session = (id: string, state: 'ACTIVE' | 'ENDING' = 'ACTIVE'): SessionView =>
  sessionFromProto({ id, state: `SESSION_STATE_${state}` });

describe('a selection', () => {
  const page = [session('a'), session('b'), session('c', 'ENDING')];

  it('takes only what can still be revoked', () => {
    const all = tick(NOTHING, page, true, page);
    assert.equal(selectedCount(all, 99), 2);
    assert.deepEqual(
      page.map((one) => isSelected(all, one)),
      [true, true, false],
    );
  });

  it('grows over pages', () => {
    const two = tick(tick(NOTHING, page, true, page), [session('z')], true, [session('z')]);
    assert.equal(selectedCount(two, 99), 3);
  });

  it('of everything that matches counts everything, and is left to what is seen when one is unticked', () => {
    assert.equal(selectedCount({ kind: 'matching' }, 50_000), 50_000);
    const left = tick({ kind: 'matching' }, [session('a')], false, page);
    assert.equal(selectedCount(left, 50_000), 1);
  });

  it('loses what has begun to end', () => {
    const both = tick(NOTHING, page, true, page);
    assert.equal(selectedCount(afterChanges(both, [session('a', 'ENDING')]), 99), 1);
  });
});
