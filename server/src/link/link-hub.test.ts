import type { ConnectResponse } from '@curfew/proto';
import {
  durationMs,
  MINUTE,
  silentLogger,
  verifyLease,
  verifyLeaseKeySet,
  type LeaseKeySet,
  type Logger,
} from '@curfew/shared';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AuditLog } from '../audit/audit-log.js';
import type { DeviceRow } from '../devices/find-device.js';
import { nextTurn } from '../next-turn.js';
import { LeaseKeys } from '../pki/lease-keys.js';
import { SecretFiles } from '../pki/secret-files.js';
import { openServerKeys } from '../pki/server-keys.js';
import { openOffice, SUDO, type Office } from '../policies/office-fixture.js';
import { Recordings } from '../recordings/recordings.js';
import { UNAVAILABLE_RECORDINGS } from '../recordings/unavailable-recordings.js';
import { ReleaseOffers } from '../releases/release-offers.js';
import type { DeviceLink } from './device-link.js';
import { LinkHub } from './link-hub.js';
import { ALONE, type LinkPresence } from './link-presence.js';

/** So many links are ended at once. */
const AT_ONCE = 50;
const PAUSE = durationMs(200);

/** A link that writes down what it is sent and why it was ended. */
class FakeLink implements DeviceLink {
  readonly leases = new Map<string, string>();
  readonly isAhead = false;
  readonly nonce = randomBytes(16).toString('hex');
  readonly helloAt;
  readonly sent: NonNullable<ConnectResponse['message']>[] = [];
  readonly ends: string[] = [];

  constructor(
    { clock }: Office,
    readonly device: DeviceRow,
    readonly instance = 'one',
  ) {
    this.helloAt = clock.bootTime();
  }

  readonly send = ({ message }: ConnectResponse): void => {
    if (message !== undefined) this.sent.push(message);
  };
  readonly close = ({ code }: { readonly code: string }): void => {
    this.ends.push(code);
  };

  /** What its device trusts after all that it was sent, from what it trusted before. Errors: as an agent's. */
  async trustedAfter(before: LeaseKeySet): Promise<LeaseKeySet> {
    let trusted = before;
    for (const message of this.sent)
      if (message.$case === 'leaseKeySet') trusted = await verifyLeaseKeySet(message.value.signedKeySet, trusted);
    return trusted;
  }

  /** The leases of the newest desired state; undefined when it was sent none. */
  get leasesTold(): readonly string[] | undefined {
    const newest = this.sent.findLast((message) => message.$case === 'desired');
    return newest?.$case === 'desired' ? newest.value.leases : undefined;
  }
}

/** Another server is there: links are not all ended at a time. */
const NOT_ALONE: LinkPresence = { ...ALONE, join: () => Promise.resolve(undefined) };

describe('the hub of links', () => {
  let office: Office;
  let folder: string;
  beforeEach(async () => {
    office = await openOffice();
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-hub-'));
  });
  afterEach(async () => {
    await office.ledger.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function openHub(presence: LinkPresence, logger: Logger = silentLogger): Promise<LinkHub> {
    const { context, ledger, devices, requests } = office;
    const keys = await openServerKeys(new SecretFiles(folder));
    return new LinkHub({
      ...{ context, ledger, devices, requests, keys, presence, logger, uninstallNeedsCode: false },
      recordings: new Recordings(context, UNAVAILABLE_RECORDINGS, MINUTE),
      auditLog: new AuditLog(ledger, keys.note),
      offers: new ReleaseOffers(ledger),
    });
  }
  const join = (hub: LinkHub, link: DeviceLink, leaseKeysVersion = 1): Promise<void> =>
    hub.join(link, { checkpoint: '', leaseKeysVersion });
  const grant = async (device: string): Promise<string> => {
    const wish = { user: 'alice', device, account: 'alice', durationMs: MINUTE, reason: 'why', options: SUDO };
    return (await office.sessions.grant(office.by('adam'), wish)).id;
  };
  const until = async (isSo: () => boolean): Promise<void> => {
    for (let turn = 0; turn < 1_000 && !isSo(); turn++) await nextTurn();
    assert.ok(isSo(), 'it did not come to that');
  };

  describe('whose server stops', () => {
    it('tells each device what it loses until its link is ended', async () => {
      const hub = await openHub(NOT_ALONE);
      const others = Array.from(
        { length: AT_ONCE },
        (_, index) => new FakeLink(office, { ...office.db, id: `dev-${index}` }),
      );
      for (const other of others) await join(hub, other);
      const last = new FakeLink(office, office.web);
      await join(hub, last);
      const wish = {
        user: 'alice',
        device: 'web-1',
        account: 'alice',
        durationMs: MINUTE,
        reason: 'why',
        options: SUDO,
      };
      const { id } = await office.sessions.grant(office.by('adam'), wish);
      await until(() => last.leasesTold?.length === 1);

      const closing = hub.closeAll();
      assert.ok(others.every(({ ends }) => ends.join() === 'SERVER_STOPPING'));
      assert.deepEqual([last.ends, hub.linkCount, hub.isLinked(office.web.id)], [[], 1, true]);
      await office.sessions.revoke(office.by('adam'), { ids: [id] }, 'enough');
      await until(() => last.leasesTold?.length === 0);
      office.clock.advance(PAUSE);
      await closing;
      assert.deepEqual([last.ends, hub.linkCount, hub.isLinked(office.web.id)], [['SERVER_STOPPING'], 0, false]);
    });

    it('takes no link over any more, also none that was about to be', async () => {
      let joined = (_: undefined): void => undefined;
      const joins: string[] = [];
      const slowly = (deviceId: string): Promise<undefined> => {
        joins.push(deviceId);
        return joins.length > 1 ? Promise.resolve(undefined) : new Promise((resolve) => (joined = resolve));
      };
      const hub = await openHub({ ...NOT_ALONE, join: slowly });
      const [early, late] = [new FakeLink(office, office.web), new FakeLink(office, office.db)];
      const joining = join(hub, early);
      await hub.closeAll();
      joined(undefined);
      await joining;
      await join(hub, late);
      assert.deepEqual([early.ends, late.ends], [['SERVER_STOPPING'], ['SERVER_STOPPING']]);
      assert.deepEqual([early.sent, late.sent, hub.linkCount, joins], [[], [], 0, [office.web.id]]);
    });
  });

  describe('whose lease keys another server has rotated without being able to say so', () => {
    let first: LeaseKeySet;
    let newest: LeaseKeySet;
    let hub: LinkHub;
    let staying: FakeLink;
    let logged: string[];
    beforeEach(async () => {
      logged = [];
      hub = await openHub(ALONE, { ...silentLogger, error: (message) => logged.push(message) });
      const others = await LeaseKeys.open(new SecretFiles(folder));
      first = others.set;
      staying = new FakeLink(office, office.web);
      await join(hub, staying);
      await others.rotate();
      newest = await others.rotate();
    });

    it('takes them over as soon as a device comes that knows them, and leads the others to them', async () => {
      await grant('web-1');
      await until(() => staying.leasesTold?.length === 1);
      const [before] = staying.leasesTold ?? [];
      const coming = new FakeLink(office, office.db);
      await grant('db-1');
      await join(hub, coming, newest.version);
      await until(() => coming.leasesTold?.length === 1 && staying.leasesTold?.[0] !== before);
      assert.deepEqual(await coming.trustedAfter(newest), newest);
      assert.deepEqual(await staying.trustedAfter(first), newest);
      for (const { leasesTold: [lease = ''] = [] } of [coming, staying]) await verifyLease(lease, newest);
      assert.deepEqual(logged, []);
    });

    it('takes the device in also where they cannot be read, and says that its leases will be refused', async () => {
      writeFileSync(path.join(folder, 'lease-keys.json'), 'nothing of that kind');
      const coming = new FakeLink(office, office.db);
      await join(hub, coming, newest.version);
      await until(() => coming.leasesTold !== undefined);
      assert.deepEqual([coming.ends, staying.ends], [[], []]);
      assert.deepEqual(await staying.trustedAfter(first), first);
      assert.match(
        logged.join(),
        /^the lease keys that a device knows could not be read,a device trusts newer lease keys/,
      );
    });
  });
});
