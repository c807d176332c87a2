import { CurfewError, isNewerVersion, newId, readRelease } from '@curfew/shared';
import type { Selectable } from 'kysely';
import { findId } from '../ledger/find-by-id.js';
import type { LedgerReader } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from '../users/caller.js';
import type { ReleaseFiles } from './release-files.js';

export type ReleaseRow = Selectable<Tables['release']>;

/** How many releases are kept at the most. */
const MOST_RELEASES = 100;

/**
 * Releases of the agent: what their makers have signed, and the archive. The server has no key to sign one with, and none to check
 * one: that is for devices.
 */
export class Releases {
  /** One piece of an archive at a time, for each. */
  private readonly writing = new Map<string, Promise<unknown>>();

  constructor(
    private readonly context: UseCaseContext,
    private readonly files: ReleaseFiles,
  ) {}

  /** Every release, newest version first. */
  async list(): Promise<ReleaseRow[]> {
    const rows = await this.context.ledger.read((db) => db.selectFrom('release').selectAll().orderBy('id').execute());
    return rows.sort((a, b) =>
      isNewerVersion(a.version, b.version) ? -1 : isNewerVersion(b.version, a.version) ? 1 : 0,
    );
  }

  /** Begins a release. Idempotent. Errors: RELEASE_MALFORMED, RELEASE_ALREADY_THERE, RELEASES_FULL. */
  add(caller: Caller, statement: string): Promise<ReleaseRow> {
    const { version, platform, arch, size, sha256, keyId } = readRelease(statement);
    const { ledger, random, clock } = this.context;
    return ledger.write(async (tx) => {
      const others = await tx.db.selectFrom('release').selectAll().execute();
      const there = others.find((row) => row.version === version && row.platform === platform && row.arch === arch);
      if (there?.statement === statement) return there;
      if (there !== undefined || others.some((row) => row.sha256 === sha256))
        throw new CurfewError('RELEASE_ALREADY_THERE', { version, platform, arch });
      if (others.length >= MOST_RELEASES) throw new CurfewError('RELEASES_FULL', { count: others.length });
      const row = {
        id: newId('release', random),
        ...{ version, platform, arch, size, sha256, statement, key_id: keyId },
        received: 0,
        created_by: caller.userName,
        created_at_ms: clock.now(),
      };
      await tx.db.insertInto('release').values(row).execute();
      return row;
    });
  }

  /** Adds to an archive. Idempotent. Errors: RELEASE_NOT_FOUND, RELEASE_MALFORMED when it is whole and not what was signed. */
  append(caller: Caller, id: string, offset: number, piece: Uint8Array): Promise<ReleaseRow> {
    const before = this.writing.get(id) ?? Promise.resolve();
    const done = before.then(() => this.appendNow(caller, id, offset, piece));
    const settled = done
      .catch(() => undefined)
      .finally(() => {
        if (this.writing.get(id) === settled) this.writing.delete(id);
      });
    this.writing.set(id, settled);
    return done;
  }

  private async appendNow(caller: Caller, id: string, offset: number, piece: Uint8Array): Promise<ReleaseRow> {
    const { ledger } = this.context;
    const row = await ledger.read((db) => findRelease(db, id));
    const { received, size, sha256, version, platform, arch } = row;
    if (offset > received || offset + piece.length <= received) return row;
    if (offset + piece.length > size)
      throw new CurfewError('RELEASE_MALFORMED', { problem: `its archive has ${size} bytes and no more` });
    await this.files.write(sha256, received, piece.subarray(received - offset));
    const now = offset + piece.length;
    const isWhole = now === size;
    if (isWhole && (await this.files.sha256(sha256)) !== sha256) {
      await ledger.write((tx) => tx.db.updateTable('release').set({ received: 0 }).where('id', '=', id).execute());
      throw new CurfewError('RELEASE_MALFORMED', { problem: 'its archive is not what was signed' });
    }
    return ledger.write(async (tx) => {
      await tx.db.updateTable('release').set({ received: now }).where('id', '=', id).execute();
      if (isWhole)
        tx.audit({
          type: 'release.added',
          actor: callerActor(caller),
          subject: id,
          data: { version, platform, arch, sha256, keyId: row.key_id },
        });
      return { ...row, received: now };
    });
  }

  /** Forgets a release. Errors: RELEASE_NOT_FOUND, ID_AMBIGUOUS, RELEASE_IN_USE. */
  async remove(caller: Caller, given: string): Promise<void> {
    const row = await this.context.ledger.write(async (tx) => {
      const id = await findId(tx.db, 'release', 'release', given, 'RELEASE_NOT_FOUND');
      const found = await findRelease(tx.db, id);
      const { version, platform, arch, size, received } = found;
      const rollouts = tx.db.selectFrom('rollout').select('id').where('state', '<>', 'finished');
      if ((await rollouts.where('version', '=', version).executeTakeFirst()) !== undefined)
        throw new CurfewError('RELEASE_IN_USE', { version });
      await tx.db.deleteFrom('release').where('id', '=', id).execute();
      // One whose archive never came was never told of.
      if (received === size)
        tx.audit({
          type: 'release.removed',
          actor: callerActor(caller),
          subject: id,
          data: { version, platform, arch },
        });
      return found;
    });
    await this.files.remove(row.sha256);
  }

  /** A part of the archive of a release that is whole. Errors: RELEASE_NOT_FOUND. */
  async fetch(sha256: string, offset: number, most: number): Promise<Buffer> {
    const row = await this.context.ledger.read((db) =>
      db.selectFrom('release').select(['received', 'size']).where('sha256', '=', sha256).executeTakeFirst(),
    );
    const piece =
      row?.received === row?.size && row !== undefined ? await this.files.read(sha256, offset, most) : undefined;
    if (piece === undefined) throw new CurfewError('RELEASE_NOT_FOUND', { given: sha256.slice(0, 16) });
    return piece;
  }
}

async function findRelease(db: LedgerReader, id: string): Promise<ReleaseRow> {
  const row = await db.selectFrom('release').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw new CurfewError('RELEASE_NOT_FOUND', { given: id });
  return row;
}
