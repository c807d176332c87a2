import assert from 'node:assert/strict';
import { LiveCollection } from './live-collection.js';

interface Thing {
  readonly id: string;
  readonly isOver?: boolean;
}

describe('a live collection', () => {
  function collection(): { live: LiveCollection<Thing>; draw: () => void; drawings: () => number } {
    const frames: (() => void)[] = [];
    let drawings = 0;
    const live = new LiveCollection<Thing>(
      ({ id }) => id,
      (fn) => frames.push(fn),
      ({ isOver }) => isOver !== true,
    );
    live.subscribe(() => drawings++);
    const draw = (): void => {
      for (const frame of frames.splice(0)) frame();
    };
    return { live, draw, drawings: () => drawings };
  }
  const ids = (live: LiveCollection<Thing>): string[] => [...live.current().items.keys()];

  it('draws once per frame, however much comes', () => {
    const { live, draw, drawings } = collection();
    live.begin();
    for (let index = 0; index < 1_000; index++) live.put({ id: String(index) });
    live.complete();
    draw();
    assert.equal(drawings(), 1);
    assert.equal(live.current().items.size, 1_000);
    assert.equal(live.current().synced, true);
  });

  it('keeps the old picture after a broken link until the new one is whole, and then nothing that is gone', () => {
    const { live, draw } = collection();
    live.begin();
    live.put({ id: 'a' });
    live.put({ id: 'b' });
    live.complete();
    live.markStale();
    draw();
    assert.equal(live.current().stale, true);
    live.begin();
    live.put({ id: 'b' });
    draw();
    assert.deepEqual(ids(live), ['a', 'b']);
    live.complete();
    draw();
    assert.deepEqual(ids(live), ['b']);
    assert.equal(live.current().stale, false);
  });

  it('lets go of what no longer belongs in it', () => {
    const { live, draw } = collection();
    live.begin();
    live.put({ id: 'a' });
    live.complete();
    live.put({ id: 'a', isOver: true });
    draw();
    assert.deepEqual(ids(live), []);
  });
});
