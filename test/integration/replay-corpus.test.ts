import { generateLeaseKey, leaseSigningKey, signLease, signLeaseKeySet, type LeaseClaims } from '@curfew/shared';
import assert from 'node:assert/strict';
import { createHmac, sign as signBytes } from 'node:crypto';
import { happen, inject } from './model/model-happenings.js';
import { DEVICE_KEY_HASH, makeTemplate, PEOPLE, type Template } from './model/model-server.js';
import { ModelWorld, STRANGER } from './model/model-world.js';

const [ALICE, BOB] = PEOPLE;
const HELD_BY_NOBODY = `ses-${'0'.repeat(20)}`;

/** A world in which alice had a session that was revoked, so that there is a floor, and nobody holds anything. */
interface Stage {
  readonly world: ModelWorld;
  /** A lease that the device would take: each case is wrong in one thing. */
  readonly right: LeaseClaims;
  /** The lease of the session that was revoked, as it was sent. */
  readonly revoked: string;
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const TYPE = 'curfew-lease+jws';

describe('what a device is not to take', function () {
  this.timeout(60_000);
  let template: Template;
  let stage: Stage;
  let runs = 10_000;

  before(async () => {
    template = await makeTemplate();
  });
  after(() => {
    template.remove();
  });
  beforeEach(async () => {
    const world = await ModelWorld.start(template, runs++);
    await happen(world, { do: 'give', who: 0, seconds: 600 });
    const [lease] = world.agent!.leases;
    const revoked = await signLease(lease!, template.keys.lease.signing);
    await happen(world, { do: 'revoke', at: 0 });
    stage = { world, revoked, right: rightLease(world) };
  });
  afterEach(() => stage.world.close());

  function rightLease(world: ModelWorld): LeaseClaims {
    const { incarnation, floorEpoch } = world.agent!.holder.snapshot;
    const now = world.machine.clock.now();
    return {
      sessionId: HELD_BY_NOBODY,
      deviceKeyHash: DEVICE_KEY_HASH,
      account: { name: ALICE.name, uid: ALICE.uid, sid: '', fingerprint: ALICE.fingerprint },
      options: { kind: 'sudo_rule', passwordRequired: false, commands: [], runAs: '', group: '' },
      incarnation,
      epoch: floorEpoch + 1,
      nonce: [...world.agent!.nonces.keys()].at(-1)!,
      durationMs: 600_000,
      wallEndMs: now + 600_000,
      issuedAtMs: now,
    };
  }

  const held = (): string[] => [...stage.world.machine.host.rights.keys()];
  const findings = async (): Promise<readonly string[]> =>
    (await stage.world.server.devices.get('web-1')).device.findings;
  const events = async (typePrefix: string) => {
    const all = { typePrefix, actor: '', subject: '', pageSize: 100, pageToken: '' };
    const { events: found } = await stage.world.server.auditLog.list(all);
    return found.map(({ actor, record }) => ({ actor, ...(JSON.parse(record.toString()) as { data: unknown }) }));
  };
  const send = async (...tokens: string[]): Promise<void> => {
    inject(stage.world, tokens);
    await stage.world.settle();
  };
  const signed = (change: Partial<LeaseClaims> | Record<string, unknown>): Promise<string> =>
    signLease({ ...stage.right, ...change }, template.keys.lease.signing);
  /** Any header and payload, signed with the server's key all the same. */
  const signedAs = (header: unknown, payload: string): string => {
    const input = `${encode(header)}.${payload}`;
    const signature = signBytes(null, Buffer.from(input), template.keys.lease.signing.privateKey);
    return `${input}.${signature.toString('base64url')}`;
  };
  const header = () => ({ alg: 'EdDSA', typ: TYPE, kid: template.keys.lease.signing.kid });

  it('is told from what it is to take: a lease that is right in everything makes a right', async () => {
    await send(await signed({}));
    assert.deepEqual(held(), [HELD_BY_NOBODY]);
    assert.deepEqual(await findings(), []);
  });

  const [forged, malformed] = ['LEASE_SIGNATURE_INVALID', 'LEASE_MALFORMED'] as const;
  const cases: { readonly name: string; readonly code: string; readonly token: () => Promise<string> | string }[] = [
    { name: "signed with a stranger's key", code: forged, token: () => signLease(stage.right, STRANGER) },
    {
      name: "signed with a stranger's key under the name of the server's",
      code: forged,
      token: () => signLease(stage.right, { ...STRANGER, kid: template.keys.lease.signing.kid }),
    },
    {
      name: 'signed with a key that was never published',
      code: forged,
      token: async () => signLease(stage.right, await leaseSigningKey(generateLeaseKey())),
    },
    {
      name: 'without a signature',
      code: forged,
      token: () => `${encode({ alg: 'none', typ: TYPE })}.${encode(stage.right)}.`,
    },
    {
      name: 'with the public key as a shared secret',
      code: forged,
      token: () => {
        const input = `${encode({ ...header(), alg: 'HS256' })}.${encode(stage.right)}`;
        const [key] = template.keys.lease.set.keys;
        return `${input}.${createHmac('sha256', String(key?.x)).update(input).digest('base64url')}`;
      },
    },
    {
      name: 'with a key in its own header',
      code: forged,
      token: async () => {
        const jwk = STRANGER.privateKey.export({ format: 'jwk' });
        const input = `${encode({ alg: 'EdDSA', typ: TYPE, jwk: { ...jwk, d: undefined } })}.${encode(stage.right)}`;
        return `${input}.${signBytes(null, Buffer.from(input), STRANGER.privateKey).toString('base64url')}`;
      },
    },
    {
      name: 'with the claims of one lease and the signature of another',
      code: forged,
      token: async () => {
        const [head, , signature] = stage.revoked.split('.');
        return [head, encode(stage.right), signature].join('.');
      },
    },
    { name: 'whose signature is cut', code: forged, token: async () => (await signed({})).slice(0, -8) },
    { name: 'with a fourth part', code: forged, token: async () => `${await signed({})}.x` },
    {
      name: 'signed as something else',
      code: forged,
      token: () => signedAs({ ...header(), typ: 'JWT' }, encode(stage.right)),
    },
    {
      name: 'that is a set of keys',
      code: forged,
      token: () => signLeaseKeySet({ version: 2, keys: template.keys.lease.set.keys }, template.keys.lease.signing),
    },
    { name: 'that is empty', code: forged, token: () => '' },
    { name: 'that is no token', code: forged, token: () => '\u0000\n; rm -rf /' },
    { name: 'that is very long', code: forged, token: () => 'A'.repeat(200_000) },
    {
      name: 'that is no JSON',
      code: malformed,
      token: () => signedAs(header(), Buffer.from('{').toString('base64url')),
    },
    { name: 'that is a list', code: malformed, token: () => signedAs(header(), encode([stage.right])) },
    { name: 'without an epoch', code: malformed, token: () => signed({ epoch: undefined }) },
    { name: 'with a claim too much', code: malformed, token: () => signed({ run: '/bin/sh' }) },
    { name: 'that lasts no time', code: malformed, token: () => signed({ durationMs: 0 }) },
    { name: 'that lasts less than no time', code: malformed, token: () => signed({ durationMs: -1 }) },
    { name: 'that lasts for text', code: malformed, token: () => signed({ durationMs: '600000' }) },
    { name: 'that lasts for ever', code: malformed, token: () => signed({ durationMs: Infinity }) },
    { name: 'of the epoch 0', code: malformed, token: () => signed({ epoch: 0 }) },
    { name: 'of the incarnation 0', code: malformed, token: () => signed({ incarnation: 0 }) },
    { name: 'whose session is a path', code: malformed, token: () => signed({ sessionId: '../../etc/sudoers.d/x' }) },
    { name: 'for another device', code: 'LEASE_WRONG_DEVICE', token: () => signed({ deviceKeyHash: 'e'.repeat(64) }) },
    { name: 'for a device in capitals', code: malformed, token: () => signed({ deviceKeyHash: 'D'.repeat(64) }) },
    { name: 'of the next incarnation', code: 'LEASE_WRONG_INCARNATION', token: () => signed({ incarnation: 2 }) },
    { name: 'of a far incarnation', code: 'LEASE_WRONG_INCARNATION', token: () => signed({ incarnation: 2 ** 50 }) },
    {
      name: 'for a nonce that was never sent',
      code: 'LEASE_NONCE_UNKNOWN',
      token: () => signed({ nonce: 'e'.repeat(32) }),
    },
    { name: 'that was revoked', code: 'LEASE_REPLAYED', token: () => stage.revoked },
    {
      name: 'of a new session at the floor',
      code: 'LEASE_REPLAYED',
      token: () => signed({ epoch: stage.right.epoch - 1 }),
    },
  ];
  for (const { name, code, token } of cases)
    it(`a lease ${name}: refused with ${code}, reported once, nothing made`, async () => {
      const { world } = stage;
      const bad = await token();
      for (let times = 0; times < 3; times += 1) await send(bad);
      assert.deepEqual(held(), []);
      assert.equal(world.machine.host.removers.size, 0);
      const [finding = '', ...others] = await findings();
      assert.match(finding, new RegExp(`^the agent refuses leases that came in this server's name: .*\\(${code}\\)$`));
      assert.deepEqual(others, []);
      const reported = await events('device.leases_refused');
      assert.deepEqual(
        reported.map(({ actor, data }) => ({ actor, data })),
        [{ actor: 'device:web-1', data: { code, count: 1 } }],
      );
      const [session] = await world.server.rows();
      assert.equal(session?.state, 'ended', 'and no session has moved');
      // The next desired state is sound: the finding goes, and a session can be given.
      await happen(world, { do: 'give', who: 1, seconds: 600 });
      assert.deepEqual(await findings(), []);
      assert.equal(held().length, 1);
    });

  it('leases that were refused for several reasons: each is reported, and a new one when it comes', async () => {
    await send(await signLease(stage.right, STRANGER), await signLease(stage.right, STRANGER));
    await send(await signLease(stage.right, STRANGER), await signed({ nonce: 'e'.repeat(32) }));
    const reported = await events('device.leases_refused');
    assert.deepEqual(
      reported.map(({ data }) => data),
      [
        { code: 'LEASE_NONCE_UNKNOWN', count: 1 },
        { code: 'LEASE_SIGNATURE_INVALID', count: 2 },
      ],
    );
    assert.equal((await findings()).length, 2);
    assert.deepEqual(held(), []);
  });

  it('a forged lease beside a sound one: the sound one counts, and what is held goes on', async () => {
    await happen(stage.world, { do: 'give', who: 1, seconds: 600 });
    const before = held();
    await send(await signLease(stage.right, STRANGER));
    assert.deepEqual(held(), before);
    assert.equal((await findings()).length, 1);
  });

  const overs: { readonly name: string; readonly code: string; readonly change: () => Partial<LeaseClaims> }[] = [
    {
      name: 'whose wall-clock end is over',
      code: 'LEASE_EXPIRED',
      change: () => ({ wallEndMs: stage.world.machine.clock.now() }),
    },
    {
      name: 'signed by a clock far ahead',
      code: 'LEASE_CLOCK_BEHIND',
      change: () => ({ issuedAtMs: stage.world.machine.clock.now() + 3_600_000 }),
    },
    {
      name: 'for somebody else under the uid',
      code: 'ACCOUNT_CHANGED',
      change: () => ({ account: { ...stage.right.account, fingerprint: BOB.fingerprint } }),
    },
    {
      name: 'for another name under the uid',
      code: 'ACCOUNT_CHANGED',
      change: () => ({ account: { ...stage.right.account, name: BOB.name } }),
    },
    {
      name: 'for a uid that nobody has',
      code: 'ACCOUNT_CHANGED',
      change: () => ({ account: { ...stage.right.account, uid: 4_242 } }),
    },
    {
      name: 'for root',
      code: 'ACCOUNT_CHANGED',
      change: () => ({ account: { ...stage.right.account, name: 'root', uid: 0 } }),
    },
    {
      name: 'for a command that is no path',
      code: 'RULE_REJECTED',
      change: () => ({ options: { ...stage.right.options, commands: [['ALL']] } }),
    },
  ];
  for (const { name, code, change } of overs)
    it(`a lease ${name}: refused with ${code}, told to the server as the session's end, nothing made`, async () => {
      await send(await signed(change()));
      assert.deepEqual(held(), []);
      const [ended] = stage.world.agent!.holder.snapshot.ended;
      assert.deepEqual([ended?.sessionId, ended?.code], [HELD_BY_NOBODY, code]);
      assert.deepEqual(await findings(), [], 'a sound server can have sent it');
    });

  it('a lease of before a restart, and of before a reboot', async () => {
    for (const fault of ['kill agent', 'reboot'] as const) {
      const lease = await signed({});
      await happen(stage.world, { do: fault });
      await happen(stage.world, { do: 'start agent' });
      await send(lease);
      assert.deepEqual(held(), []);
      assert.match((await findings()).join(), /LEASE_NONCE_UNKNOWN/);
      stage = { ...stage, right: rightLease(stage.world) };
    }
  });

  it('a lease of before a recovery', async () => {
    const lease = await signed({});
    await happen(stage.world, { do: 'recover' });
    await send(lease);
    assert.deepEqual(held(), []);
    assert.match((await findings()).join(), /LEASE_WRONG_INCARNATION/);
  });

  it('a revoked lease, with the state of before it was revoked put back', async () => {
    const { world } = stage;
    const states = world.machine.saves.length;
    for (let back = 0; back < 2 * states; back += 1) {
      await happen(world, { do: 'restore agent state', back });
      await send(stage.revoked);
      assert.deepEqual(held(), []);
      assert.match((await findings()).join(), /LEASE_NONCE_UNKNOWN/);
    }
  });

  it('an older desired state on a new link: everything is refused, the server is told, and believes its own log', async () => {
    const { world } = stage;
    const older = world.agent!.wire!.arrived.down.slice(0, 4);
    await happen(world, { do: 'slow', way: 'up' });
    await happen(world, { do: 'cut' });
    for (const bytes of older) world.agent!.wire!.put('down', bytes);
    world.mayBeRefused = true;
    await happen(world, { do: 'heal' });
    assert.deepEqual(held(), []);
    assert.equal(world.agent!.holder.refusalCode, 'LEDGER_ROLLED_BACK');
    assert.equal((await events('ledger.rollback_claimed')).length, 1);
    assert.equal(await world.server.rolledBack(), '');
  });

  for (const catchUp of [0, 1, 2, 3])
    it(`a ledger that was put back by hand, with ${catchUp} changes since: found out at the first hello`, async () => {
      const { world } = stage;
      await happen(world, { do: 'give', who: 0, seconds: 600 });
      await happen(world, { do: 'backup' });
      await happen(world, { do: 'revoke', at: 0 });
      await happen(world, { do: 'stall' });
      await happen(world, { do: 'roll back', at: 0 });
      for (let change = 0; change < catchUp; change += 1) await happen(world, { do: 'extend', at: 0 });
      await happen(world, { do: 'heal' });
      assert.deepEqual(held(), []);
      assert.equal((await events('ledger.rollback_detected')).length, 1);
      await assert.rejects(world.server.sessions.extend(template.owner, world.sessions.at(-1)!.id, 1), {
        code: 'LEDGER_ROLLED_BACK',
      });
    });
});
