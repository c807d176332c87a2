import type { Logger } from '@curfew/shared';
import { STATE_FORMAT, type AgentState, type StateFile } from '../ports/state-file.js';

const EMPTY: Omit<AgentState, 'bootId' | 'deviceId'> = {
  version: STATE_FORMAT,
  incarnation: 0,
  floorGeneration: 0,
  floorEpoch: 0,
  latestSignedMs: 0,
  checkpoint: '',
  desiredCheckpoint: '',
  grants: [],
  ended: [],
};

/** The agent's state in memory, and on disk after each save. Saves follow each other, each with the newest state. */
export class KeptState {
  state: AgentState;
  /** What is on disk for sure. */
  private saved: AgentState | undefined;
  private saving: Promise<void> = Promise.resolve();
  /** Whether a save goes on or the last one failed: what is on disk may be older than what was told. */
  isBehind = false;
  /** The state of a newer agent that is on disk; undefined when there is none. */
  newer: { readonly file: string; readonly version: number } | undefined;

  constructor(
    private readonly file: StateFile,
    private readonly bootId: string,
    private readonly logger: Logger,
    /** Who this device is; '' while that is not known. */
    private readonly deviceId: string,
  ) {
    this.state = { ...EMPTY, bootId, deviceId };
  }

  /**
   * Reads what an earlier process left. Returns whether it was of this boot and this device: else its rights prove nothing. The
   * floors of another device, which this machine was enrolled as before, say nothing of this one's. What a newer agent has written
   * is left as it is, see `newer`.
   */
  async load(): Promise<boolean> {
    const stored = await this.file.load();
    if (stored.found === 'newer') this.newer = { file: stored.file, version: stored.version };
    if (stored.found === 'damage')
      this.logger.error('the state is damaged, so every right goes', { problem: stored.problem });
    if (stored.found !== 'state') return false;
    const { bootId, deviceId } = this;
    if (deviceId !== '' && stored.state.deviceId !== '' && stored.state.deviceId !== deviceId) {
      this.logger.warn('the state is of another device, so every right goes', { deviceId: stored.state.deviceId });
      return false;
    }
    this.state = { ...stored.state, bootId, deviceId: deviceId || stored.state.deviceId };
    return stored.state.bootId === bootId;
  }

  update(change: Partial<AgentState>): void {
    this.state = { ...this.state, ...change };
  }

  /** Has the state of the moment on disk. A failure is logged, not thrown: it must not stop a removal. */
  save(): Promise<void> {
    return this.saveFirst((state) => state);
  }

  /**
   * Has a change on disk before anybody sees it: what is told to others survives this process. `change` is applied to
   * the state of the moment, for the save and again after it. A failure is logged, and the change is made all the same.
   */
  saveFirst(change: (state: AgentState) => AgentState): Promise<void> {
    return this.afterOthers(async () => {
      const before = this.state;
      const changed = change(before);
      await this.put(changed).catch((error: unknown) => {
        this.logger.error('the state could not be saved', { error });
      });
      this.state = this.state === before ? changed : change(this.state);
    });
  }

  /** Errors: DEVICE_STORAGE_FAILED. */
  saveOrThrow(): Promise<void> {
    return this.afterOthers(() => this.put(this.state));
  }

  /** Writes a state, unless it is the one that was written last. */
  private async put(state: AgentState): Promise<void> {
    if (state === this.saved) return;
    this.saved = undefined;
    this.isBehind = true;
    await this.file.save(state);
    this.isBehind = false;
    this.saved = state;
  }

  /** The next save sees what the one before has changed. */
  private afterOthers(work: () => Promise<void>): Promise<void> {
    const done = this.saving.then(work);
    this.saving = done.catch(() => undefined);
    return done;
  }
}
