import { openCheckpoint, type Checkpoint } from './checkpoint.js';
import { leafHash, MerkleFrontier } from './merkle-tree.js';

/** One line of an export: an event with the exact bytes that are hashed into the log. */
export interface ExportedEvent {
  readonly index: number;
  readonly record: Uint8Array;
}

/** What the check of an export found. */
export type ExportVerdict =
  { readonly ok: true; readonly checkpoint: Checkpoint } | { readonly ok: false; readonly problem: string };

/**
 * Checks that events are exactly those that a signed checkpoint covers. Add them in order, then call `finish`.
 * Any record that was changed, removed, swapped, inserted or appended is found.
 */
export class ExportVerifier {
  private readonly frontier = MerkleFrontier.empty();
  private problem: string | undefined;

  add(event: ExportedEvent): void {
    if (event.index !== this.frontier.size)
      this.problem ??= `record ${this.frontier.size} is missing: the export has record ${event.index} in its place`;
    this.frontier.append(leafHash(event.record));
  }

  /** Compares with the checkpoint. `verificationKey` should come from elsewhere than the export itself. */
  finish(note: string, verificationKey: string): ExportVerdict {
    if (this.problem !== undefined) return { ok: false, problem: this.problem };
    const checkpoint = openCheckpoint(note, verificationKey);
    if (checkpoint === undefined) return { ok: false, problem: 'the checkpoint is not signed by the given key' };
    const { size } = this.frontier;
    if (checkpoint.size !== size)
      return { ok: false, problem: `the checkpoint covers ${checkpoint.size} records, the export has ${size}` };
    if (!checkpoint.root.equals(this.frontier.root()))
      return { ok: false, problem: 'at least one record is not the one that was signed: the root hashes differ' };
    return { ok: true, checkpoint };
  }
}
