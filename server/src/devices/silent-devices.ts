import { durationMs, SECOND } from '@curfew/shared';
import { sql } from 'kysely';
import type { LedgerReader } from '../ledger/ledger.js';
import type { LostSince } from '../sessions/offline-end.js';
import type { UseCaseContext } from '../use-case-context.js';

/** A link that is made anew at once, as after a restart of the agent, is no silence. */
export const SILENCE = durationMs(20 * SECOND);

/**
 * Tells when a device falls silent while somebody has rights on it, and when it is heard again: one audit event each. It
 * may have been switched off, and somebody with admin rights may have stopped its agent.
 */
export class SilentDevices {
  constructor(private readonly context: UseCaseContext) {}

  async sweep(lostSince: LostSince): Promise<void> {
    const { ledger, clock } = this.context;
    const now = clock.now();
    const look = async (db: LedgerReader) =>
      (await watchedDevices(db)).flatMap((device) => {
        const since = lostSince(device.id, device.last_seen_at_ms);
        const isSilent = since !== undefined && now - since >= SILENCE && device.live > 0;
        const wasSilent = device.silent_since_ms !== null;
        if (isSilent ? wasSilent : !wasSilent || since !== undefined) return [];
        return [{ device, since: isSilent ? since : null }];
      });
    if ((await ledger.read(look)).length === 0) return;
    await ledger.write(async (tx) => {
      for (const { device, since } of await look(tx.db)) {
        await tx.db.updateTable('device').set({ silent_since_ms: since }).where('id', '=', device.id).execute();
        const earlier = device.silent_since_ms ?? 0;
        const told =
          since === null
            ? { type: 'device.heard', data: { name: device.name, silentMs: now - earlier } }
            : { type: 'device.silent', data: { name: device.name, sessions: device.live, sinceMs: since } };
        tx.audit({ ...told, actor: { kind: 'server' }, subject: device.id });
        tx.changed('device', device.id, '');
      }
    });
  }
}

/** The devices on which somebody has rights, with how many sessions, and those that were silent when they were last looked at. */
async function watchedDevices(db: LedgerReader) {
  // Counted here: a database that counts by device reads its sessions of all times. The order is that of the index of what is live.
  const live = new Map<string | null, number>();
  const sessions = db
    .selectFrom('session')
    .select('device_id')
    .where(sql<boolean>`state <> 'ended' and state <> 'starting'`)
    .orderBy('expires_at_ms');
  for (const { device_id: id } of await sessions.execute()) live.set(id, (live.get(id) ?? 0) + 1);
  const ids = [...live.keys()].filter((id) => id !== null);
  const devices = db.selectFrom('device').select(['id', 'name', 'last_seen_at_ms', 'silent_since_ms']);
  const [held, silent] = [
    await devices.where('id', 'in', ids).execute(),
    await devices.where('silent_since_ms', 'is not', null).execute(),
  ];
  const silentAlone = silent.filter(({ id }) => !live.has(id));
  return [...held, ...silentAlone].map((device) => ({ ...device, live: live.get(device.id) ?? 0 }));
}
