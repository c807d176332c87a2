import type { BootMs, Clock, DurationMs, EndReason, InstantMs, Logger } from '@curfew/shared';
import { isOver } from '../core/is-over.js';
import type { FoundRight, PrivilegeHost } from '../ports/privilege-host.js';
import type { GrantRecord } from '../ports/state-file.js';

/** What a recovery needs of the holder whose rights it sorts out. */
export interface RecoveryParts {
  readonly host: PrivilegeHost;
  readonly bootNow: BootMs;
  readonly now: InstantMs;
  /** The rights that the record claims for this boot. */
  readonly records: readonly GrantRecord[];
  /** The rights that the record claims by now. */
  readonly recordsNow: () => readonly GrantRecord[];
  /** Tries a removal again until it is done. */
  readonly removeForever: (remove: () => Promise<void>) => Promise<void>;
  /** Removes a right that nobody has been told of, and forgets it; until then nothing is made under its session. */
  readonly discard: (right: GrantRecord | FoundRight) => Promise<void>;
  /** Ends a right, as while the agent runs. */
  readonly end: (record: GrantRecord, reason: EndReason, detail: string) => Promise<void>;
  /** Ends a right whose end was decided before. */
  readonly endAgain: (record: GrantRecord) => Promise<void>;
}

/**
 * Sorts out what an earlier process left: whatever is over, unknown to the record or not as the record says goes. Only
 * a right on which record and operating system agree is left as it is, with its remover; nothing is made. Resolves when all
 * of that is gone, however long it takes.
 */
export async function recover(parts: RecoveryParts): Promise<void> {
  await Promise.all([
    // What is on record is ended all the same where strangers cannot be looked for.
    sweepStrangers(parts).catch(() => parts.removeForever(() => sweepStrangers(parts))),
    ...parts.records.map((record) => recoverRecord(parts, record)),
  ]);
}

/** Resolves when the work is done, or goes on for longer than that. */
export const atMost = (patience: DurationMs, clock: Clock, work: Promise<void>): Promise<void> =>
  new Promise((resolve, reject) => {
    const cancel = clock.after(patience, resolve);
    work.finally(cancel).then(resolve, reject);
  });

/** Removes every right with Curfew's mark that is not on record. Errors: they could not be looked for. */
async function sweepStrangers({ host, recordsNow, discard }: RecoveryParts): Promise<void> {
  const found = await host.list();
  const strangers = found.filter((right) => !recordsNow().some(({ sessionId }) => sessionId === right.sessionId));
  await Promise.all(strangers.map(discard));
}

/** Keeps a right of this boot if it was read back before and is there now; else ends it. */
async function recoverRecord(parts: RecoveryParts, record: GrantRecord): Promise<void> {
  const { host, bootNow, now, end, endAgain, discard } = parts;
  if (record.phase === 'intended') await discard(record);
  else if (record.phase === 'removing') await endAgain(record);
  else if (isOver(record, bootNow, now)) await end(record, 'expired', '');
  else if ((await host.inspect(record).catch(() => 'altered' as const)) !== 'live')
    await end(record, 'tampered', 'the right was not as recorded when the agent started');
}

/** Stands down removers that an earlier process left without a right: it died between a right's end and this. */
export async function standDownLeftRemovers(
  host: PrivilegeHost,
  kept: () => readonly GrantRecord[],
  logger: Logger,
): Promise<void> {
  try {
    // Rights may be made meanwhile, each after its record.
    for (const sessionId of await host.armed())
      if (!kept().some((record) => record.sessionId === sessionId)) await host.disarm(sessionId);
  } catch (error) {
    logger.warn('left removers could not be stood down; they will find nothing to do', { error });
  }
}
