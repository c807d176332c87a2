import { durationMs, ManualClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { LinkStatus, type LinkPicture } from './link-status.js';

describe('the mark of the link', () => {
  function status(): { link: LinkStatus; clock: ManualClock; seen: LinkPicture[] } {
    const clock = new ManualClock();
    const link = new LinkStatus(() => clock.now());
    const seen: LinkPicture[] = [];
    link.subscribe(() => seen.push(link.current()));
    return { link, clock, seen };
  }
  const LIVE = { staleSince: undefined, isRefused: false };

  it('is not there while a page loads for the first time', () => {
    const { link, seen } = status();
    const watch = {};
    link.follow(watch, 'connecting');
    link.follow(watch, 'live');
    assert.deepEqual(link.current(), LIVE);
    assert.deepEqual(seen, []);
  });

  it('says since when the first watch is broken, until the last is live again', () => {
    const { link, clock } = status();
    const [one, two] = [{}, {}];
    const first = clock.now();
    link.follow(one, 'broken');
    clock.advance(durationMs(1_000));
    link.follow(two, 'broken');
    clock.advance(durationMs(1_000));
    link.follow(one, 'broken');
    assert.deepEqual(link.current(), { staleSince: first, isRefused: false });
    link.follow(one, 'live');
    assert.deepEqual(link.current(), { staleSince: first + 1_000, isRefused: false });
    link.follow(two, 'live');
    assert.deepEqual(link.current(), LIVE);
  });

  it('stays while a page that is looked at again connects, and counts from when its streams were let go of', () => {
    const { link, clock } = status();
    const watch = {};
    const before = clock.now();
    link.follow(watch, 'live');
    link.letGo(watch);
    clock.advance(durationMs(60_000));
    link.follow(watch, 'connecting');
    assert.deepEqual(link.current(), { staleSince: before, isRefused: false });
    link.follow(watch, 'live');
    assert.deepEqual(link.current(), LIVE);
  });

  it('says that the server refuses to go on, until it does not, or nothing of it is shown', () => {
    const { link } = status();
    const watch = {};
    link.follow(watch, 'broken');
    link.follow(watch, 'refused');
    assert.deepEqual(link.current(), { staleSince: undefined, isRefused: true });
    link.follow(watch, 'live');
    assert.deepEqual(link.current(), LIVE);
    link.follow(watch, 'refused');
    link.forget(watch);
    assert.deepEqual(link.current(), LIVE);
  });
});
