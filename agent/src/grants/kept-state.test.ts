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
    kept = new KeptState(file, 'boot-1', silentLogger);
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
