import { CurfewError, silentLogger } from '@curfew/shared';
import assert from 'node:assert/strict';
import type { AgentState, StateFile, StoredState } from '../ports/state-file.js';
import { KeptState } from './kept-state.js';

/** A file that remembers each write, and fails when it is told to. */
class CountedFile implements StateFile {
  readonly written: AgentState[] = [];
  fails = false;
  /** Called while a write goes on. */
  meanwhile = (): void => undefined;

  load(): Promise<StoredState> {
    return Promise.resolve({ found: 'nothing' });
  }

  save(state: AgentState): Promise<void> {
    if (this.fails) return Promise.reject(new CurfewError('DEVICE_STORAGE_FAILED', { file: 'state', detail: 'full' }));
    this.written.push(state);
    this.meanwhile();
    return Promise.resolve();
  }
}

describe('the kept state', () => {
  let file: CountedFile;
  let kept: KeptState;

  beforeEach(() => {
    file = new CountedFile();
    kept = new KeptState(file, 'boot-1', silentLogger, '');
  });

  it('says whether it is of this boot, and keeps its floor in any case', async () => {
    for (const [bootId, isOfThisBoot] of [
      ['boot-1', true],
      ['boot-0', false],
    ] as const) {
      file.load = () => Promise.resolve({ found: 'state', state: { ...kept.state, bootId, floorEpoch: 9 } });
      assert.equal(await kept.load(), isOfThisBoot);
      assert.deepEqual([kept.state.bootId, kept.state.floorEpoch], ['boot-1', 9]);
    }
  });

  it('is written when it has changed, and not again when it has not', async () => {
    kept.update({ floorEpoch: 7 });
    await kept.save();
    await kept.save();
    await kept.saveOrThrow();
    assert.deepEqual(
      file.written.map(({ floorEpoch }) => floorEpoch),
      [7],
    );
    await kept.saveFirst((state) => ({ ...state, floorEpoch: 8 }));
    await kept.save();
    assert.deepEqual(
      file.written.map(({ floorEpoch }) => floorEpoch),
      [7, 8],
    );
    assert.equal(kept.state.floorEpoch, 8);
  });

  it('goes on from what this device has seen, and from nothing of another device that the machine was before', async () => {
    const before = {
      ...kept.state,
      deviceId: 'dev-1',
      floorEpoch: 7,
      floorGeneration: 9,
      incarnation: 1,
      checkpoint: 'c',
    };
    file.load = () => Promise.resolve({ found: 'state', state: before });
    const loadedAs = async (deviceId: string) => {
      const loaded = new KeptState(file, 'boot-1', silentLogger, deviceId);
      const ofThisBoot = await loaded.load();
      const { floorEpoch, floorGeneration, incarnation, checkpoint } = loaded.state;
      return [ofThisBoot, loaded.state.deviceId, floorEpoch, floorGeneration, incarnation, checkpoint];
    };
    assert.deepEqual(await loadedAs('dev-1'), [true, 'dev-1', 7, 9, 1, 'c']);
    assert.deepEqual(await loadedAs('dev-2'), [false, 'dev-2', 0, 0, 0, '']);
    // Nobody may forget what was revoked because it is not known who this is.
    assert.deepEqual(await loadedAs(''), [true, 'dev-1', 7, 9, 1, 'c']);
    before.deviceId = '';
    assert.deepEqual(await loadedAs('dev-2'), [true, 'dev-2', 7, 9, 1, 'c']);
  });

  it('is written with the next save after one that failed', async () => {
    kept.update({ floorEpoch: 7 });
    file.fails = true;
    await assert.rejects(kept.saveOrThrow(), { code: 'DEVICE_STORAGE_FAILED' });
    assert.equal(file.written.length, 0);
    file.fails = false;
    await kept.save();
    assert.equal(file.written.at(-1)?.floorEpoch, 7);
  });

  it('has a change that was made during a save as well', async () => {
    file.meanwhile = () => {
      file.meanwhile = () => undefined;
      kept.update({ floorGeneration: 3 });
    };
    await kept.saveFirst((state) => ({ ...state, floorEpoch: 8 }));
    assert.equal(file.written.at(-1)?.floorGeneration, 0);
    await kept.save();
    assert.equal(kept.state.floorEpoch, 8);
    assert.equal(file.written.at(-1)?.floorEpoch, 8);
    assert.equal(file.written.at(-1)?.floorGeneration, 3);
  });
});
