import { durationMs, ManualClock, silentLogger } from '@curfew/shared';
import assert from 'node:assert/strict';
import { nextTurn } from '../next-turn.js';
import { followLeaseKeys } from './follow-lease-keys.js';

/** A server that starts while there are new keys or none, in a ledger that can be read then or not. */
function setUp({ isNew, isAway } = { isNew: false, isAway: false }) {
  const clock = new ManualClock();
  let changed = (_: readonly { readonly kind: string }[]): void => undefined;
  let [looks, rotated] = [0, 0];
  const parts = {
    config: { ledger: { url: 'postgres://somewhere' } },
    ledger: { onChange: (listener: typeof changed) => ((changed = listener), () => undefined) },
    keys: {
      lease: {
        refresh: async () => {
          looks += 1;
          if (isAway) throw new Error('the ledger is away');
          return isNew;
        },
      },
    },
    hub: { leaseKeysRotated: () => (rotated += 1) },
    clock,
    logger: silentLogger,
  };
  const following = followLeaseKeys(parts as unknown as Parameters<typeof followLeaseKeys>[0]);
  const pass = async (ms: number): Promise<void> => {
    clock.advance(durationMs(ms));
    await nextTurn();
  };
  return {
    following,
    pass,
    seen: () => ({ looks, rotated }),
    back: () => (isAway = false),
    /** Another server rotates them, and this one hears of it but cannot read the ledger. */
    rotate: async () => {
      [isAway, isNew] = [true, true];
      changed([{ kind: 'ledger' }]);
      await nextTurn();
    },
  };
}

describe('the lease keys that another server has rotated', () => {
  it('are looked for again a second later when the ledger could not be read, until they are there, and then no more', async () => {
    const { rotate, pass, back, seen } = setUp();
    await nextTurn();
    await rotate();
    await pass(999);
    assert.deepEqual(seen(), { looks: 2, rotated: 0 });
    back();
    await pass(1);
    assert.deepEqual(seen(), { looks: 3, rotated: 1 });
    await pass(60_000);
    assert.deepEqual(seen(), { looks: 3, rotated: 1 });
  });

  it('are looked for at the start too: they may have been rotated while nobody listened yet', async () => {
    const { pass, back, seen } = setUp({ isNew: true, isAway: true });
    await nextTurn();
    assert.deepEqual(seen(), { looks: 1, rotated: 0 });
    back();
    await pass(1_000);
    assert.deepEqual(seen(), { looks: 2, rotated: 1 });
  });

  it('are looked for no more once that is stopped', async () => {
    const { following, rotate, pass, back, seen } = setUp();
    await nextTurn();
    await rotate();
    await following.stop();
    back();
    await pass(60_000);
    assert.deepEqual(seen(), { looks: 2, rotated: 0 });
  });
});
