import type { Logger } from '@curfew/shared';
import type { AgentState, StateFile } from '../ports/state-file.js';

const EMPTY: Omit<AgentState, 'bootId'> = {
  version: 1,
  incarnation: 0,
  floorGeneration: 0,
  floorEpoch: 0,
  latestSignedMs: 0,
  checkpoint: '',
  grants: [],
  ended: [],
};

/** The agent's state in memory, and on disk after each save. Saves follow each other, each with the newest state. */
export class KeptState {
  state: AgentState;
  private saving: Promise<void> = Promise.resolve();

  constructor(
    private readonly file: StateFile,
    private readonly bootId: string,
    private readonly logger: Logger,
  ) {
    this.state = { ...EMPTY, bootId };
  }

  /** Reads what an earlier process left. Returns whether it was of this boot: else its rights prove nothing. */
  async load(): Promise<boolean> {
    const stored = await this.file.load();
    if (stored.found === 'damage')
      this.logger.error('the state is damaged, so every right goes', { problem: stored.problem });
    if (stored.found !== 'state') return false;
    this.state = { ...stored.state, bootId: this.bootId };
    return stored.state.bootId === this.bootId;
  }

  update(change: Partial<AgentState>): void {
    this.state = { ...this.state, ...change };
  }

  /** A failure is logged, not thrown: it must not stop a removal. */
  save(): Promise<void> {
    return this.saveOrThrow().catch((error: unknown) => {
      this.logger.error('the state could not be saved', { error });
    });
  }

  saveOrThrow(): Promise<void> {
    const saved = this.saving.then(() => this.file.save(this.state));
    this.saving = saved.catch(() => undefined);
    return saved;
  }
}
