import { instantMs } from '@curfew/shared';
import assert from 'node:assert/strict';
import { sessionFromProto, type SessionView } from '../../model/session.js';
import { afterChange, afterListing, afterTime, LINGER_MS, NO_ROWS, shownRows } from './live-rows.js';

const NOW = instantMs(1_000_000);
const session = (id: string, state: 'ACTIVE' | 'ENDING' | 'ENDED', revision: number): SessionView =>
  sessionFromProto({ id, state: `SESSION_STATE_${state}`, revision: String(revision) });
const shown = (rows: Parameters<typeof shownRows>[0]): string[] =>
  shownRows(rows).map(({ id, state }) => `${id} ${state}`);

describe('the rows of Active Sessions', () => {
  const listed = afterListing(
    NO_ROWS,
    ['a', 'b', 'c'].map((id) => session(id, 'ACTIVE', 1)),
    NOW,
  );

  it('change where they stand', () => {
    assert.deepEqual(shown(afterChange(listed, session('b', 'ENDING', 2), NOW, false)), [
      'a active',
      'b ending',
      'c active',
    ]);
  });

  it('that end stay for a moment in their place, marked as ended, and go then', () => {
    const ended = afterChange(listed, session('b', 'ENDED', 3), NOW, false);
    assert.deepEqual(shown(ended), ['a active', 'b ended', 'c active']);
    const again = afterListing(ended, [session('a', 'ACTIVE', 1), session('c', 'ACTIVE', 1)], NOW);
    assert.deepEqual(shown(again), ['a active', 'b ended', 'c active']);
    assert.deepEqual(shown(afterTime(again, instantMs(NOW + LINGER_MS))), ['a active', 'c active']);
  });

  it('that end stay for a moment also when the server has listed the page before it told of the end', () => {
    const without = afterListing(listed, [session('a', 'ACTIVE', 1), session('c', 'ACTIVE', 1)], NOW);
    assert.deepEqual(shown(without), ['a active', 'c active']);
    const ended = afterChange(without, session('b', 'ENDED', 3), NOW, false);
    assert.deepEqual(shown(ended), ['a active', 'b ended', 'c active']);
    assert.deepEqual(shown(afterTime(ended, instantMs(NOW + LINGER_MS))), ['a active', 'c active']);
    assert.deepEqual(shown(afterChange(ended, session('b', 'ENDED', 3), NOW, false)), shown(ended));
  });

  it('that are listed again are not there twice when they end', () => {
    const without = afterListing(listed, [session('a', 'ACTIVE', 1), session('c', 'ACTIVE', 1)], NOW);
    const back = afterListing(
      without,
      ['a', 'b', 'c'].map((id) => session(id, 'ACTIVE', 2)),
      NOW,
    );
    assert.deepEqual(shown(afterChange(back, session('b', 'ENDED', 3), NOW, false)), [
      'a active',
      'b ended',
      'c active',
    ]);
  });

  it('that end together keep their order', () => {
    const one = afterChange(listed, session('a', 'ENDED', 3), NOW, false);
    const two = afterChange(one, session('c', 'ENDED', 4), NOW, false);
    assert.deepEqual(shown(two), ['a ended', 'b active', 'c ended']);
  });

  it('are not set back by an answer that was older than what the stream has told', () => {
    const ending = afterChange(listed, session('b', 'ENDING', 5), NOW, false);
    const old = afterListing(ending, [session('a', 'ACTIVE', 1), session('b', 'ACTIVE', 1)], NOW);
    assert.deepEqual(shown(old), ['a active', 'b ending']);
  });

  it('take no notice of sessions on other pages', () => {
    assert.equal(afterChange(listed, session('z', 'ACTIVE', 9), NOW, false), listed);
  });

  it('that end stay for good where ended ones are listed', () => {
    const rows = afterChange(listed, session('b', 'ENDED', 3), NOW, true);
    assert.deepEqual(shown(afterTime(rows, instantMs(NOW + 10 * LINGER_MS))), ['a active', 'b ended', 'c active']);
  });
});
