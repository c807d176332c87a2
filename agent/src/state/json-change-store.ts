import { CurfewError } from '@curfew/shared';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { ChangeRecord, ChangeStore, PastLook } from '../ports/change-store.js';
import { ITEM_KINDS, WEIGHTS } from '../ports/lasting-power.js';

const [RECORDS, LOOK, SCAN] = ['changes', 'last-look.json', 'privileged-files.json'];
const SESSION_ID = /^ses-[0-9a-z]{20}$/;

const item = z.strictObject({
  kind: z.enum(ITEM_KINDS),
  subject: z.string(),
  state: z.string(),
  weight: z.enum(WEIGHTS),
  changedAtMs: z.number(),
  account: z.string().optional(),
  file: z.string().optional(),
});
const pastLook = z.strictObject({ takenAtMs: z.number(), items: z.array(item) });
const record = z.strictObject({
  sessionId: z.string().regex(SESSION_ID),
  account: z.string(),
  startMs: z.number(),
  baseline: z.array(item),
  scan: pastLook.optional(),
  undo: z.boolean().default(false),
  found: z.array(
    z.strictObject({
      kind: z.enum(ITEM_KINDS),
      action: z.enum(['added', 'changed', 'removed']),
      subject: z.string(),
      weight: z.enum(WEIGHTS),
      package: z.string(),
      detail: z.string(),
      present: z.boolean(),
      undone: z.literal(true).optional(),
    }),
  ),
  phase: z.enum(['during', 'scanning', 'over']),
  gaps: z.array(z.string()),
  lookedAtMs: z.number(),
});

/** Records of lasting changes as JSON files in a folder of the agent's own. What cannot be read is as if it were not there. */
export class JsonChangeStore implements ChangeStore {
  private readonly folder: string;

  constructor(private readonly stateDir: string) {
    this.folder = path.join(stateDir, RECORDS);
  }

  async load(): Promise<readonly ChangeRecord[]> {
    await this.makeFolder();
    const names = await readdir(this.folder).catch(() => []);
    const read = await Promise.all(names.map((name) => parsed(path.join(this.folder, name), record)));
    return read.filter((one) => one !== undefined) as ChangeRecord[];
  }

  async save(one: ChangeRecord): Promise<void> {
    await this.makeFolder();
    await replace(this.file(one.sessionId), one);
  }

  async remove(sessionId: string): Promise<void> {
    await rm(this.file(sessionId), { force: true });
  }

  async loadLook(): Promise<PastLook | undefined> {
    return (await parsed(path.join(this.stateDir, LOOK), pastLook)) as PastLook | undefined;
  }

  async saveLook(one: PastLook): Promise<void> {
    await replace(path.join(this.stateDir, LOOK), one);
  }

  async loadScan(): Promise<PastLook | undefined> {
    return (await parsed(path.join(this.stateDir, SCAN), pastLook)) as PastLook | undefined;
  }

  async saveScan(one: PastLook): Promise<void> {
    await replace(path.join(this.stateDir, SCAN), one);
  }

  /** Makes the folder, where there is none. That it cannot be made is said by what is then written into it. */
  private async makeFolder(): Promise<void> {
    if (!existsSync(this.folder)) await mkdir(this.folder, { recursive: true, mode: 0o700 }).catch(() => undefined);
  }

  private file(sessionId: string): string {
    return path.join(this.folder, `${sessionId}.json`);
  }
}

async function parsed<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}

/** What a power cut takes is found out anew, less exactly: not worth waiting for the disk. */
async function replace(file: string, value: object): Promise<void> {
  const fresh = `${file}.new`;
  try {
    await writeFile(fresh, JSON.stringify(value), { mode: 0o600 });
    await rename(fresh, file);
  } catch (error) {
    throw new CurfewError('DEVICE_STORAGE_FAILED', { file, detail: String(error) }, { cause: error });
  }
}
