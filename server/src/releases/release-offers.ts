import { isNewerVersion } from '@curfew/shared';
import type { DeviceRow } from '../devices/find-device.js';
import type { Ledger } from '../ledger/ledger.js';
import { isChosen, type Choice } from './is-chosen.js';
import { openRollout } from './rollouts.js';

/** What the rollout that runs offers, by platform and architecture. */
interface Offer extends Choice {
  readonly version: string;
  readonly statements: ReadonlyMap<string, string>;
}

/** As the facts of a device name platforms → as releases do. */
const PLATFORMS: Readonly<Record<string, string>> = {
  PLATFORM_LINUX: 'linux',
  PLATFORM_DARWIN: 'darwin',
  PLATFORM_WINDOWS: 'win32',
};

/** Knows which release is offered to which device now. */
export class ReleaseOffers {
  private offer: Promise<Offer | undefined> | undefined;

  constructor(private readonly ledger: Pick<Ledger, 'read'>) {}

  /** The rollout has changed. */
  forget(): void {
    this.offer = undefined;
  }

  /**
   * What the makers have signed of the release that is offered to a device; '' for none, also where that cannot be found out: what
   * ends a right goes to the device in the same message.
   */
  async to(device: DeviceRow): Promise<string> {
    try {
      return await this.statementFor(device);
    } catch {
      this.offer = undefined;
      return '';
    }
  }

  private async statementFor(device: DeviceRow): Promise<string> {
    // One that takes none from a server says nothing of them.
    if (device.update_state === null) return '';
    const offer = await (this.offer ??= this.read());
    if (offer === undefined || !isChosen(device.id, offer)) return '';
    const facts = JSON.parse(device.facts) as { platform?: string; architecture?: string; agentVersion?: string };
    if (!isNewerVersion(offer.version, facts.agentVersion ?? '')) return '';
    return offer.statements.get(`${PLATFORMS[facts.platform ?? ''] ?? ''} ${facts.architecture ?? ''}`) ?? '';
  }

  private read(): Promise<Offer | undefined> {
    return this.ledger.read(async (db) => {
      const open = await openRollout(db);
      if (open?.state !== 'running') return undefined;
      const { version, percent, device_ids: ids } = open;
      const rows = await db.selectFrom('release').selectAll().where('version', '=', version).execute();
      const whole = rows.filter(({ received, size }) => received === size);
      return {
        version,
        percent,
        deviceIds: JSON.parse(ids) as string[],
        statements: new Map(whole.map(({ platform, arch, statement }) => [`${platform} ${arch}`, statement])),
      };
    });
  }
}
