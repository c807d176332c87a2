import { sql } from 'kysely';
import type { UseCaseContext } from '../use-case-context.js';
import { confirm } from './observe.js';

/**
 * Confirms the ends that a device which was enrolled anew could not speak for: their rights have ended by themselves, and
 * the device holds nothing of them. Until then they stay 'ending', since the installation before may run somewhere.
 */
export function confirmFormer({ ledger, clock }: UseCaseContext): Promise<void> {
  return ledger.write(async (tx) => {
    const now = clock.now();
    const rows = await tx.db
      .selectFrom('session')
      .innerJoin('device', 'device.id', 'session.device_id')
      .select(['session.id', 'device.id as deviceId', 'device.name'])
      .where('device.key_since_ms', 'is not', null)
      .where(
        sql<boolean>`session.state <> 'ended' and session.state = 'ending' and device.state = 'enrolled' and created_at_ms <= key_since_ms
          and expires_at_ms <= ${now} and coalesce(held_until_ms, 0) <= ${now} and applied_generation >= ending_generation`,
      )
      .execute();
    const moved = rows.map(({ id, deviceId, name }) => ({ id, device: { id: deviceId, name } }));
    await confirm(tx, moved, 'ended', now);
  });
}
