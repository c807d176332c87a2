import { bootMs, CurfewError, END_REASONS, instantMs, leaseClaimsSchema } from '@curfew/shared';
import { open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { STATE_FORMAT, type AgentState, type StateFile, type StoredState } from '../ports/state-file.js';

const end = z.strictObject({ reason: z.enum(END_REASONS), code: z.string(), detail: z.string() });

const newerSchema = z.looseObject({ version: z.int().gt(STATE_FORMAT) });

const stateSchema = z.strictObject({
  // Of the first format there are states with and without each of the fields that have a default below.
  version: z.literal([1, STATE_FORMAT]).transform(() => STATE_FORMAT),
  deviceId: z.string().default(''),
  bootId: z.string(),
  incarnation: z.int().nonnegative(),
  floorGeneration: z.int().nonnegative(),
  floorEpoch: z.int().nonnegative(),
  latestSignedMs: z.number(),
  checkpoint: z.string(),
  linkSeen: z.number().transform(bootMs).optional(),
  // Agents before this field wrote a state without it.
  desiredCheckpoint: z.string().default(''),
  grants: z.array(
    z.strictObject({
      sessionId: leaseClaimsSchema.shape.sessionId,
      account: leaseClaimsSchema.shape.account,
      options: leaseClaimsSchema.shape.options,
      deadline: z.number().transform(bootMs),
      wallEnd: z.number().transform(instantMs),
      // Agents before this field ended nothing, and wrote a state without it.
      keepProcesses: z.boolean().default(false),
      // Agents before this field recorded nothing, and wrote a state without it.
      recording: leaseClaimsSchema.shape.recording,
      undoChanges: z.boolean().default(false),
      // Agents before this field answered no prompts, and wrote a state without it.
      desktop: leaseClaimsSchema.shape.desktop,
      epoch: z.int(),
      phase: z.enum(['intended', 'held', 'removing']),
      madeAtMs: z.number(),
      offlineEndAfterMs: z.int().positive().optional(),
      end: end.optional(),
    }),
  ),
  ended: z.array(
    z.strictObject({
      sessionId: z.string(),
      epoch: z.int(),
      uid: z.int().nullable(),
      // Agents before this field knew no SIDs, and wrote a state without it.
      sid: leaseClaimsSchema.shape.account.shape.sid.default(''),
      ...end.shape,
      endedAtMs: z.number(),
    }),
  ),
});

/** The agent's state as one JSON file, replaced atomically; survives a power cut once `save` has resolved. */
export class JsonStateFile implements StateFile {
  private readonly file: string;

  constructor(private readonly folder: string) {
    this.file = path.join(folder, 'state.json');
  }

  async load(): Promise<StoredState> {
    let text: string;
    try {
      text = await readFile(this.file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { found: 'nothing' };
      return { found: 'damage', problem: String(error) };
    }
    try {
      const stored: unknown = JSON.parse(text);
      const { data: newer } = newerSchema.safeParse(stored);
      if (newer !== undefined) return { found: 'newer', file: this.file, version: newer.version };
      return { found: 'state', state: stateSchema.parse(stored) as AgentState };
    } catch {
      return { found: 'damage', problem: `${this.file} cannot be read as a state` };
    }
  }

  async save(state: AgentState): Promise<void> {
    try {
      await this.replace(state);
    } catch (error) {
      throw new CurfewError('DEVICE_STORAGE_FAILED', { file: this.file, detail: String(error) }, { cause: error });
    }
  }

  private async replace(state: AgentState): Promise<void> {
    const fresh = `${this.file}.new`;
    const handle = await open(fresh, 'w', 0o600);
    try {
      await handle.writeFile(JSON.stringify(state));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, this.file);
    // Windows writes names through with the files, and lets nobody flush a folder.
    if (process.platform === 'win32') return;
    const folder = await open(this.folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}
