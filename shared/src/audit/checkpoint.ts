import type { Hash } from './merkle-tree.js';
import { openNote, signNote, type NoteSigningKey } from './signed-note.js';

/** What a log says of itself, by the C2SP tlog-checkpoint specification. */
export interface Checkpoint {
  /** Names the log: 'curfew/<ledger id>/<incarnation>'. */
  readonly origin: string;
  readonly size: number;
  readonly root: Hash;
}

export const checkpointOrigin = (ledgerId: string, incarnation: number): string => `curfew/${ledgerId}/${incarnation}`;

export const signCheckpoint = (checkpoint: Checkpoint, key: NoteSigningKey): string =>
  signNote(`${checkpoint.origin}\n${checkpoint.size}\n${checkpoint.root.toString('base64')}\n`, key);

/** Returns the checkpoint of a note that the key has signed, or undefined when it is not one. */
export function openCheckpoint(note: string, verificationKey: string): Checkpoint | undefined {
  const text = openNote(note, verificationKey);
  const [origin, size, encoded] = text?.split('\n') ?? [];
  if (origin === undefined || encoded === undefined || !/^(0|[1-9][0-9]{0,15})$/.test(size ?? '')) return undefined;
  const root = Buffer.from(encoded, 'base64');
  if (origin === '' || root.length !== 32 || root.toString('base64') !== encoded) return undefined;
  return { origin, size: Number(size), root };
}

/** The incarnation that a checkpoint's origin names, or undefined when the origin is not one of Curfew's. */
export function checkpointIncarnation(checkpoint: Checkpoint): number | undefined {
  const [, incarnation] = /^curfew\/[0-9a-z-]+\/([1-9][0-9]{0,14})$/.exec(checkpoint.origin) ?? [];
  return incarnation === undefined ? undefined : Number(incarnation);
}
