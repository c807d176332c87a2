import { durationMs, ManualClock, silentLogger } from '@curfew/shared';
import assert from 'node:assert/strict';
import { nextTurn } from '../next-turn.js';
import { followLeaseKeys } from './follow-lease-keys.js';

function setUp() {
  const clock = new ManualClock();
  let changed = (_: readonly { readonly kind: string }[]): void => undefined;
  let [looks, rotated, isAway] = [0, 0, true];
  const parts = {
    config: { ledger: { url: 'postgres://somewhere' } },
    ledger: { onChange: (listener: typeof changed) => ((changed = listener), () => undefined) },
    keys: {
      lease: {
        refresh: async () => {
          looks += 1;
          if (isAway) throw new Error('the ledger is away');
          return true;
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
    rotate: async () => {
      changed([{ kind: 'ledger' }]);
      await nextTurn();
    },
  };
}

describe('the lease keys that another server has rotated', () => {
  it('are looked for again a second later when the ledger could not be read, until they are there, and then no more', async () => {
    const { rotate, pass, back, seen } = setUp();
    await rotate();
    await pass(999);
    assert.deepEqual(seen(), { looks: 1, rotated: 0 });
    back();
    await pass(1);
    assert.deepEqual(seen(), { looks: 2, rotated: 1 });
    await pass(60_000);
    assert.deepEqual(seen(), { looks: 2, rotated: 1 });
  });

  it('are looked for no more once that is stopped', async () => {
    const { following, rotate, pass, back, seen } = setUp();
    await rotate();
    await following.stop();
    back();
    await pass(60_000);
    assert.deepEqual(seen(), { looks: 1, rotated: 0 });
  });
});
