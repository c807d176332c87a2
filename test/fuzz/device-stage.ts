import { FakePrivilegeHost } from '@curfew/agent/fake-parts';
import { Holder, LinkConversation } from '@curfew/agent/parts';
import type { AgentState, DeviceIdentity } from '@curfew/agent';
import { ConnectRequest, ConnectResponse, DeviceReport, EndReason, LinkServiceService } from '@curfew/proto';
import { RequestRules } from '@curfew/server';
import {
  bootMs,
  instantMs,
  ManualClock,
  noteVerificationKey,
  signCheckpoint,
  signLease,
  signLeaseKeySet,
  silentLogger,
  type LeaseClaims,
} from '@curfew/shared';
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { seededRandom } from '../support/seeded-random.js';
import { NEXT_TRUSTED, NOTE_KEY, SIGNER, STRANGER, TRUSTED } from './fixed-keys.js';
import { framed } from './frames.js';

const NOW = instantMs(1_800_000_000_000);
const DEVICE_KEY_HASH = 'd'.repeat(64);
const PEOPLE = [
  { name: 'alice', uid: 1000, sid: '', fingerprint: 'a'.repeat(64), ineligibleReason: '' },
  { name: 'bob', uid: 1001, sid: '', fingerprint: 'b'.repeat(64), ineligibleReason: '' },
] as const;
const RULES = new RequestRules();
/** Turns of the event loop after which nothing of a message is under way any more. */
const QUIET_TURNS = 4;
/** Everything that a device may hold, by session. */
const genuine = new Map<string, { readonly claims: LeaseClaims; readonly token: string }>();

const sessionId = (digit: string): string => `ses-${digit.repeat(20)}`;

async function lease(digit: string, change: Partial<LeaseClaims> = {}, signer = SIGNER): Promise<string> {
  const [alice, bob] = PEOPLE;
  const { ineligibleReason: _, ...account } = Number(digit) % 2 === 0 ? alice : bob;
  const claims: LeaseClaims = {
    ...{ sessionId: sessionId(digit), deviceKeyHash: DEVICE_KEY_HASH, account },
    options: { kind: 'sudo_rule', passwordRequired: false, commands: [], runAs: '', group: '' },
    ...{ incarnation: 1, epoch: Number(digit), nonce: seededRandom('device').bytes(16).toString('hex') },
    ...{ durationMs: 60_000, wallEndMs: NOW + 60_000, issuedAtMs: NOW, ...change },
  };
  const token = await signLease(claims, signer);
  if (signer === SIGNER && claims.deviceKeyHash === DEVICE_KEY_HASH) genuine.set(claims.sessionId, { claims, token });
  return token;
}

type Desired = Extract<
  NonNullable<Parameters<typeof ConnectResponse.fromPartial>[0]['message']>,
  { $case?: 'desired' }
>;
type Message = NonNullable<Parameters<typeof ConnectResponse.fromPartial>[0]['message']>;

const encoded = (message: Message): Uint8Array =>
  ConnectResponse.encode(ConnectResponse.fromPartial({ message })).finish();
const desired = (value: NonNullable<Desired['value']>): Message => ({
  $case: 'desired',
  value: { incarnation: 1n, ...value },
});
const note = (size: number): string =>
  signCheckpoint({ origin: 'curfew/fuzz/1', size, root: Buffer.alloc(32, size) }, NOTE_KEY);

/** What servers of all kinds say: sound, restored, of a later version, and broken. */
export async function whatServersSay(): Promise<Buffer[]> {
  const [one, two, four] = [await lease('1'), await lease('2'), await lease('4')];
  const others = [await lease('6', {}, STRANGER), await lease('7', { deviceKeyHash: 'e'.repeat(64) })];
  const notice = { sessionId: sessionId('2'), endedBy: 'olga', detail: 'done', requestId: 'r' };
  const said: Message[][] = [
    [
      desired({ generation: 1n, leases: [one] }),
      desired({ generation: 2n }),
      desired({ generation: 3n, leases: [one] }),
    ],
    [
      desired({ generation: 1n, leases: [one, two] }),
      desired({
        generation: 2n,
        revokedEpoch: 2n,
        leases: [four],
        endNotices: [{ ...notice, reason: EndReason.REVOKED }],
      }),
    ],
    [
      desired({ generation: 1n, leases: [two] }),
      desired({ generation: 2n, endNotices: [{ ...notice, reason: 99 as never }] }),
    ],
    [
      desired({ generation: 3n, leases: [one, ...others] }),
      desired({ generation: 4n, keptSessionIds: [sessionId('1')] }),
      desired({ generation: 2n }),
    ],
    [
      desired({ generation: 5n, leases: [one] }),
      desired({ incarnation: 2n, generation: 1n }),
      desired({ generation: 6n, leases: [one] }),
    ],
    [
      { $case: 'leaseKeySet', value: { signedKeySet: await signLeaseKeySet(NEXT_TRUSTED, SIGNER) } },
      desired({ generation: 1n, leases: [one] }),
    ],
    [
      { $case: 'checkpoint', value: { checkpoint: { note: note(5) } } },
      { $case: 'checkpoint', value: { checkpoint: { note: note(4) }, consistencyProof: [Buffer.alloc(32)] } },
    ],
    [
      desired({
        generation: 1n,
        leases: [one],
        checkpoint: { note: note(5) },
        cutRecordingIds: ['rec-1'],
        offeredRelease: 'x',
        uninstallNeedsCode: true,
      }),
    ],
    [
      desired({ generation: 2n ** 63n - 1n, leases: [one] }),
      desired({ incarnation: 2n ** 62n, generation: 1n, revokedEpoch: 2n ** 60n }),
    ],
    [desired({ generation: -1n, revokedEpoch: -5n, leases: [one] }), desired({ incarnation: -1n, generation: 1n })],
    [
      { $case: 'requests', value: { requests: [{ id: 'req-1', reason: '\u001b[2J' }] } },
      { $case: 'changesKept', value: { sessionId: sessionId('1') } },
    ],
  ];
  return said.map((messages) => framed(messages.map((message) => encoded(message))));
}

type Floor = Pick<AgentState, 'incarnation' | 'floorGeneration' | 'floorEpoch'>;

/** Fails when a floor is below another one: what was revoked could come back. */
function assertNotBelow(now: Floor, before: Floor): void {
  const numbers = [now.incarnation, now.floorGeneration, now.floorEpoch];
  assert.ok(
    numbers.every((one) => Number.isSafeInteger(one) && one >= 0),
    `a floor at ${numbers.join(' ')}`,
  );
  assert.ok(now.incarnation >= before.incarnation, 'the incarnation went down');
  if (now.incarnation > before.incarnation) return;
  assert.ok(now.floorGeneration >= before.floorGeneration, 'the generation went down');
  assert.ok(now.floorEpoch >= before.floorEpoch, 'the epoch went down');
}

/** A device's agent, of which all but the machine and the network is real. */
export class DeviceStage {
  private readonly host = new FakePrivilegeHost(new Map(PEOPLE.map((person) => [person.uid, person])));
  private readonly clock = new ManualClock(NOW, bootMs(1_000));
  private readonly saved: AgentState[] = [];
  private readonly holder: Holder;
  private readonly conversation: LinkConversation;
  private identity: DeviceIdentity = {
    ...{
      deviceId: 'dev-1',
      deviceName: 'web-1',
      serverAddress: '',
      caCertificate: '',
      privateKey: '',
      certificate: '',
    },
    ...{ keyHash: DEVICE_KEY_HASH, leaseKeys: TRUSTED, auditKey: noteVerificationKey(NOTE_KEY) },
  };

  private constructor() {
    const { host, clock } = this;
    this.holder = new Holder({
      ...{ host, clock, logger: silentLogger, bootId: 'boot-1', deviceKeyHash: DEVICE_KEY_HASH },
      stateFile: {
        load: () => Promise.resolve({ found: 'nothing' }),
        save: (state) => {
          assert.deepEqual(JSON.parse(JSON.stringify(state)), JSON.parse(JSON.stringify({ ...state })));
          this.saved.push(structuredClone(state));
          return Promise.resolve();
        },
      },
      accounts: {
        byKey: (key) => Promise.resolve(PEOPLE.map(known).find(({ uid }) => key === `uid:${uid}`)),
        list: () => Promise.resolve(PEOPLE.map(known)),
      },
    });
    this.conversation = new LinkConversation({
      ...{ holder: this.holder, clock, random: seededRandom('device'), logger: silentLogger, bootId: 'boot-1' },
      instance: 'f'.repeat(32),
      identity: () => this.identity,
      keep: (identity) => {
        assert.deepEqual(identity.leaseKeys, NEXT_TRUSTED, 'keys that nobody has signed are kept');
        this.identity = identity;
        return Promise.resolve();
      },
      cut: () => Promise.resolve(),
      report: () => Promise.resolve(DeviceReport.fromPartial({})),
      ...{ requested: () => undefined, offered: () => undefined, uninstallNeedsCode: () => undefined },
      changes: { reports: [], kept: () => Promise.resolve() },
      // What it says, a server takes: a device whose hello is refused is lost.
      send: (message) => void RULES.check(LinkServiceService.connect.path, ConnectRequest.encode(message).finish()),
    });
    this.holder.onChange(() => {
      this.conversation.sendObserved();
    });
  }

  static async start(): Promise<DeviceStage> {
    const stage = new DeviceStage();
    await stage.holder.recover();
    stage.conversation.begin();
    return stage;
  }

  /** Whether it has taken anything in. */
  get hasTaken(): boolean {
    return (
      this.holder.snapshot.incarnation > 0 ||
      this.holder.snapshot.checkpoint !== '' ||
      this.identity.leaseKeys !== TRUSTED
    );
  }

  /** Takes a message, and looks at what has come of it. Gives whether it was one. */
  async take(bytes: Buffer): Promise<boolean> {
    let response: ConnectResponse;
    try {
      response = ConnectResponse.decode(bytes);
    } catch {
      return false;
    }
    const [floor, held] = [this.holder.snapshot, new Set(this.host.rights.keys())];
    await this.conversation.received(response);
    for (let turn = 0; turn < QUIET_TURNS; turn += 1) await setImmediate();
    this.assertSound(floor, held, response);
    return true;
  }

  private assertSound(floor: AgentState, held: ReadonlySet<string>, { message }: ConnectResponse): void {
    const { snapshot } = this.holder;
    for (const [at, state] of [floor, ...this.saved, snapshot].entries())
      assertNotBelow(state, at === 0 ? floor : [floor, ...this.saved][at - 1]!);
    this.saved.length = 0;
    const wanted = message?.$case === 'desired' ? message.value : undefined;
    for (const [id, { order }] of this.host.rights) {
      const known = genuine.get(id);
      assert.ok(known !== undefined, `a right that nobody has signed: ${id}`);
      assert.deepEqual(
        [order.account, order.options, order.wallEnd],
        [known.claims.account, known.claims.options, known.claims.wallEndMs],
      );
      if (held.has(id)) continue;
      assert.ok(wanted?.leases.includes(known.token) === true, `a right that nothing asks for: ${id}`);
      assert.ok(
        snapshot.incarnation > floor.incarnation || known.claims.epoch > floor.floorEpoch,
        `a right at the floor: ${id}`,
      );
    }
    if (wanted === undefined || !this.isNews(wanted, floor)) return;
    const named = new Set([
      ...wanted.keptSessionIds,
      ...wanted.leases.flatMap((token) => [...genuine].flatMap(([id, one]) => (one.token === token ? [id] : []))),
    ]);
    for (const id of this.host.rights.keys()) assert.ok(named.has(id), `a right that is to be gone: ${id}`);
  }

  /** Whether a desired state is newer than what the device knew, and says nothing that cannot be. */
  private isNews(
    { incarnation, generation, revokedEpoch }: { incarnation: bigint; generation: bigint; revokedEpoch: bigint },
    floor: Floor,
  ): boolean {
    const [life, count] = [Number(incarnation), Number(generation)];
    const canBe = [life, count, Number(revokedEpoch)].every((one) => Number.isSafeInteger(one) && one >= 0);
    return canBe && (life > floor.incarnation || (life === floor.incarnation && count >= floor.floorGeneration));
  }
}

const known = (person: (typeof PEOPLE)[number]) => ({ ...person, standingAdmin: false });
