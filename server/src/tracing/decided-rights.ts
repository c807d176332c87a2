import type { AuditEntry } from '../audit/audit-entry.js';
import type { LedgerTransaction } from '../ledger/ledger.js';

/** A right that was decided, and whose place has to confirm it. */
export interface DecidedRight {
  readonly sessionId: string;
  /** '' for the right to a resource that is on no device. */
  readonly deviceId: string;
  readonly to: 'active' | 'ended';
}

/** At how many devices and resources the rights of one change are looked at, one by one. */
const MOST_PLACES = 20;

/** The events by which rights are given and taken away. */
const DECISIONS: Readonly<Record<string, DecidedRight['to']>> = {
  'session.starting': 'active',
  'session.revoked': 'ended',
  'session.ending': 'ended',
};

/** The rights that one change of the ledger gives and takes away: how many, where, and the first of them. */
export class DecidedRights {
  /** How many there are. */
  count = 0;
  readonly devices = new Set<string>();
  readonly first: DecidedRight[] = [];
  private readonly places = new Set<string>();
  private readonly deviceOf = new Map<string, string>();

  /** The same transaction, of which is noted what it decides. */
  of(tx: LedgerTransaction): LedgerTransaction {
    return {
      db: tx.db,
      audit: (entry) => {
        tx.audit(entry);
        this.noted(entry);
      },
      changed: (kind, id, deviceId, takesAway) => {
        if (kind === 'session' && deviceId !== undefined) this.deviceOf.set(id, deviceId);
        return tx.changed(kind, id, deviceId, takesAway);
      },
    };
  }

  private noted({ type, subject: sessionId }: AuditEntry): void {
    const to = DECISIONS[type];
    if (to === undefined) return;
    const deviceId = this.deviceOf.get(sessionId) ?? '';
    this.count += 1;
    if (deviceId !== '') this.devices.add(deviceId);
    const place = deviceId === '' ? sessionId : deviceId;
    if (!this.places.has(place) && this.places.size === MOST_PLACES) return;
    this.places.add(place);
    this.first.push({ sessionId, deviceId, to });
  }
}
