import assert from 'node:assert/strict';
import { Backoff } from './backoff.js';
import { ID_KINDS, idPrefix, isId, newId, type IdKind } from './ids.js';
import { systemRandom } from './random.js';

describe('ids', () => {
  for (const kind of Object.keys(ID_KINDS) as IdKind[])
    it(`of kind ${kind} are recognised as such and as no other`, () => {
      const id = newId(kind, systemRandom);
      assert.match(id, /^[a-z]{3}-[0-9a-hjkmnp-tv-z]{20}$/);
      for (const other of Object.keys(ID_KINDS) as IdKind[]) assert.equal(isId(other, id), other === kind);
    });

  it('may be typed with or without their letters', () => {
    assert.equal(idPrefix('session', 'ses-4k'), 'ses-4k');
    assert.equal(idPrefix('session', '4k'), 'ses-4k');
  });
});

describe('backoff', () => {
  it('stays within its limits, grows, and starts again after a reset', () => {
    const backoff = new Backoff(
      { bytes: (length) => systemRandom.bytes(length), fraction: () => 0.999_999 },
      100,
      5_000,
    );
    const waits = Array.from({ length: 10 }, () => backoff.next());
    assert.ok(waits.every((ms, at) => ms >= 100 && ms <= 5_000 && ms >= (waits[at - 1] ?? 0)));
    assert.ok((waits.at(-1) ?? 0) > 4_999);
    backoff.reset();
    assert.ok(backoff.next() <= 100);
  });
});
