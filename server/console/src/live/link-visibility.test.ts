import { durationMs, ManualClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { whileVisible } from './link-visibility.js';

class FakePage {
  visibilityState = 'visible';
  private readonly listeners = new Set<() => void>();
  addEventListener(_type: string, listener: () => void): void {
    this.listeners.add(listener);
  }
  removeEventListener(_type: string, listener: () => void): void {
    this.listeners.delete(listener);
  }
  become(state: string): void {
    this.visibilityState = state;
    for (const listener of this.listeners) listener();
  }
}

describe('streams of a page', () => {
  function streams(): { page: FakePage; clock: ManualClock; open: () => number; stop: () => void } {
    const page = new FakePage();
    const clock = new ManualClock();
    let open = 0;
    const stop = whileVisible(page, clock, () => {
      open++;
      return () => open--;
    });
    return { page, clock, open: () => open, stop };
  }

  it('are let go of once the page has been hidden for a while, and opened again when it is seen', () => {
    const { page, clock, open } = streams();
    assert.equal(open(), 1);
    page.become('hidden');
    assert.equal(open(), 1);
    clock.advance(durationMs(10_000));
    assert.equal(open(), 0);
    page.become('visible');
    assert.equal(open(), 1);
  });

  it('stay open when the page is hidden for a moment', () => {
    const { page, clock, open } = streams();
    page.become('hidden');
    clock.advance(durationMs(9_000));
    page.become('visible');
    clock.advance(durationMs(60_000));
    assert.equal(open(), 1);
  });

  it('are closed with the page', () => {
    const { open, stop, clock } = streams();
    stop();
    assert.equal(open(), 0);
    assert.equal(clock.armed, 0);
  });
});
