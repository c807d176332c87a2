import {
  ChangeAction,
  ChangeKind,
  ConnectRequest,
  EndReason,
  LinkServiceService,
  Platform,
  Severity,
  UpdateState,
} from '@curfew/proto';
import { RequestRules } from '@curfew/server';
import { CurfewError } from '@curfew/shared';
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { SOUND_PARTS } from '../integration/model/model-parts.js';
import {
  makeTemplate,
  ModelServerMachine,
  PEOPLE,
  type ModelServer,
  type Template,
} from '../integration/model/model-server.js';
import { framed } from './frames.js';

const RULES = new RequestRules();
const OPTIONS = {
  kind: 'sudo_rule',
  passwordRequired: false,
  commands: [] as string[][],
  runAs: '',
  group: '',
} as const;
const ADDED = { kind: ChangeKind.SUDOERS, action: ChangeAction.ADDED, severity: Severity.CRITICAL };
/** What stands in inputs for the session that has begun, for the one that is to end, and for that of another device. */
const [STARTING, ENDING, FOREIGN] = ['1', '2', '3'].map((digit) => `ses-${digit.repeat(20)}`) as [
  string,
  string,
  string,
];
const REPORT = {
  accounts: PEOPLE.map((person) => ({ ...person, standingAdmin: false })),
  ...{ facts: {}, findings: [], leaseRefusals: [] },
};
/** So many inputs share a ledger. */
const LIFE = 200;
/** The longest text that the schema lets a device say of itself, and of an end with its code. */
const LONGEST_TEXT = 600;

type Message = NonNullable<Parameters<typeof ConnectRequest.fromPartial>[0]['message']>;

const encoded = (message: Message): Uint8Array =>
  ConnectRequest.encode(ConnectRequest.fromPartial({ message })).finish();
const account = { name: 'alice', uid: 1000, fingerprint: 'a'.repeat(64) };
const hello: Message = {
  $case: 'hello',
  value: { nonce: 'a'.repeat(32), instance: 'b'.repeat(32), bootId: 'boot', wallTime: new Date(1_000) },
};
const observed = (value: Extract<Message, { $case?: 'observed' }>['value']): Message => ({
  $case: 'observed',
  value: { incarnation: 1n, ...value },
});
const ended = (sessionId: string, reason = EndReason.EXPIRED) => ({
  sessionId,
  reason,
  code: 'LEASE_REPLAYED',
  detail: 'x'.repeat(20),
  epoch: 1n,
});

/** What agents of all kinds say: sound, in strange hands, and broken. */
export const whatDevicesSay = (): Buffer[] =>
  (
    [
      [hello, observed({ generation: 1n, held: [{ sessionId: STARTING, epoch: 1n, account }] })],
      [
        hello,
        observed({ generation: 9n, held: [{ sessionId: ENDING, epoch: 1n, account }] }),
        observed({ generation: 9_007_199_254_740_991n }),
      ],
      [hello, observed({ generation: 0n, ended: [ended(STARTING, EndReason.REFUSED_BY_DEVICE), ended(ENDING)] })],
      [
        hello,
        observed({
          incarnation: 7n,
          generation: 99n,
          held: [{ sessionId: FOREIGN, epoch: 1n, account }],
          ended: [ended(FOREIGN)],
        }),
      ],
      [observed({ generation: 99n, held: [{ sessionId: STARTING, epoch: 1n, account }] })],
      [
        hello,
        {
          $case: 'report',
          value: {
            accounts: [account, { ...account, uid: 0, name: '=\u001b[2J' }],
            findings: ['\u202ea'],
            facts: { hostname: 'h', platform: Platform.LINUX },
          },
        },
      ],
      [
        hello,
        {
          $case: 'report',
          value: {
            leaseRefusals: [
              { code: 'LEASE_REPLAYED', count: 3 },
              { code: 'A_B', count: 1 },
            ],
            update: { version: '1.2.3', state: UpdateState.WAITING },
          },
        },
      ],
      [hello, { $case: 'verdict', value: { size: 5n, accepted: false, detail: 'no' } }, hello],
      [
        {
          ...hello,
          value: { ...hello.value, floorGeneration: 99n, incarnation: 1n, checkpoint: { note: 'x\n\n\u2014 a b\n' } },
        },
        observed({ refusalCode: 'LEDGER_ROLLED_BACK' }),
      ],
      [
        hello,
        {
          $case: 'changes',
          value: {
            sessionId: STARTING,
            final: true,
            lookTime: new Date(5_000),
            changes: [{ ...ADDED, subject: '\u0000x' }],
          },
        },
      ],
    ] as Message[][]
  ).map((messages) => framed(messages.map((message) => encoded(message))));

/** The server's end of a link, without a network. */
class Call extends EventEmitter {
  readonly writableLength = 0;
  failure: Error | undefined;
  isPaused = false;

  write(): boolean {
    return true;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }
}

/** What has ended a link, by now. */
const failureOf = ({ failure }: Call): Error | undefined => failure;

/** What a device has proved with what it said; nothing before its hello. */
interface Proved {
  readonly held: Set<string>;
  readonly ended: Set<string>;
  /** The highest generation that it claims in each incarnation without the session that is to end. */
  withoutEnding: number;
}

/** A server, of which all but the network is real, and the ledger's sessions that a device speaks of. */
export class ServerStage {
  private server: ModelServer | undefined;
  private machine: ModelServerMachine | undefined;
  private foreign = '';
  private inputs = 0;
  private runs = 0;

  private constructor(private readonly template: Template) {}

  static async open(): Promise<ServerStage> {
    return new ServerStage(await makeTemplate());
  }

  async close(): Promise<void> {
    await this.server?.stop();
    this.template.remove();
  }

  /** Has a device say all this on one link. Gives whether the server has taken it in. */
  async hear(frames: readonly Buffer[]): Promise<boolean> {
    const server = await this.sound();
    const { owner, deviceId } = this.template;
    // What the input before has reported is gone.
    await server.devices.report(deviceId, REPORT);
    const given = { device: 'web-1', account: '', durationMs: 60_000, reason: 'work', options: OPTIONS };
    const starting = await server.sessions.grant(owner, { ...given, user: PEOPLE[0].name });
    const ending = await server.sessions.grant(owner, { ...given, user: PEOPLE[1].name });
    await server.sessions.revoke(owner, { ids: [ending.id] }, 'over');
    const names = { [STARTING]: starting.id, [ENDING]: ending.id, [FOREIGN]: this.foreign };
    const proved: Proved = { held: new Set(), ended: new Set(), withoutEnding: -1 };
    const taken = await this.say(
      server,
      frames.map((frame) => renamed(frame, names)),
      ending.id,
      proved,
    );
    await this.assertTrue(server, { starting: starting.id, ending: ending.id }, proved);
    await server.sessions.revoke(owner, { ids: [starting.id] }, 'over');
    return taken;
  }

  private async say(server: ModelServer, frames: readonly Buffer[], ending: string, proved: Proved): Promise<boolean> {
    const call = new Call();
    const path = LinkServiceService.connect.path;
    const decode = (bytes: Buffer): ConnectRequest => ConnectRequest.decode(RULES.check(path, bytes));
    const fail = (error: unknown): void => void (call.failure ??= error as Error);
    await server.connect({ call: call as never, decode, fail, settled: () => undefined });
    let heard = 0;
    for (const frame of frames) {
      if (failureOf(call) !== undefined) break;
      const before = heard;
      note(decode, frame, { isFirst: before === 0, ending }, proved);
      call.emit('data', frame);
      while (call.isPaused && failureOf(call) === undefined) await setImmediate();
      heard += 1;
    }
    call.emit('close');
    for (let turn = 0; turn < 4; turn += 1) await setImmediate();
    const failure = failureOf(call);
    if (failure !== undefined && !(failure instanceof CurfewError && failure.code !== 'INTERNAL')) throw failure;
    return heard > 0 && failure === undefined;
  }

  /** Fails when the ledger claims what no device has said, or holds more than one may say. */
  private async assertTrue(
    server: ModelServer,
    { starting, ending }: { starting: string; ending: string },
    proved: Proved,
  ): Promise<void> {
    const { sessions, devices, accounts } = await server.ledger.read(async (db) => ({
      sessions: await db
        .selectFrom('session')
        .selectAll()
        .where('id', 'in', [starting, ending, this.foreign])
        .execute(),
      devices: await db.selectFrom('device').selectAll().execute(),
      accounts: await db.selectFrom('device_account').selectAll().execute(),
    }));
    const state = new Map(sessions.map((row) => [row.id, row]));
    const at = (id: string) => state.get(id)!;
    const isConflict = devices.some((row) => row.state === 'identity_conflict');
    if (at(starting).state === 'active') assert.ok(proved.held.has(starting), 'active, and nobody has said so');
    else if (at(starting).state !== 'starting')
      assert.ok(proved.ended.has(starting) || isConflict, `${at(starting).state}, and nobody has said so`);
    const generation = at(ending).ending_generation ?? Infinity;
    if (at(ending).state !== 'ending')
      assert.ok(proved.ended.has(ending) || proved.withoutEnding >= generation, 'ended, and nobody has said so');
    assert.equal(at(this.foreign).state, 'starting', 'a device has moved what is not its own');
    for (const row of [...sessions, ...devices, ...accounts]) assertBounded(row);
    assert.ok(accounts.length <= 2_000 + PEOPLE.length, `${accounts.length} accounts`);
  }

  /** A server whose ledger is in order; a fresh one where the last input has brought disorder. */
  private async sound(): Promise<ModelServer> {
    if (
      this.server !== undefined &&
      ++this.inputs % LIFE !== 0 &&
      (await this.server.rolledBack()) === '' &&
      (await this.server.device()).state === 'enrolled'
    )
      return this.server;
    await this.server?.stop();
    this.machine?.remove();
    this.machine = new ModelServerMachine(this.template, SOUND_PARTS, this.runs++);
    this.server = await this.machine.start();
    this.foreign = await foreignSession(this.server, this.template);
    return this.server;
  }
}

/** A session on a second device, of which no input may say anything. */
async function foreignSession(server: ModelServer, { owner }: Template): Promise<string> {
  const device = await server.enrol(owner, { keyHash: 'c'.repeat(64), hostname: 'db-1' });
  await server.devices.report(device.id, REPORT);
  const given = {
    user: PEOPLE[0].name,
    device: 'db-1',
    account: '',
    durationMs: 60_000,
    reason: 'work',
    options: OPTIONS,
  };
  return (await server.sessions.grant(owner, given)).id;
}

/** A message with the ids that the ledger has. */
function renamed(frame: Buffer, names: Readonly<Record<string, string>>): Buffer {
  let text = frame.toString('latin1');
  for (const [placeholder, id] of Object.entries(names)) text = text.replaceAll(placeholder, id);
  return Buffer.from(text, 'latin1');
}

/** What a message proves, read by nobody who moves sessions by it. */
function note(
  decode: (bytes: Buffer) => ConnectRequest,
  frame: Buffer,
  { isFirst, ending }: { isFirst: boolean; ending: string },
  proved: Proved,
): void {
  let message: ConnectRequest['message'];
  try {
    ({ message } = decode(frame));
  } catch {
    return;
  }
  if (isFirst || message?.$case !== 'observed') return;
  const { held, ended: ends, generation, incarnation } = message.value;
  for (const { sessionId } of held) proved.held.add(sessionId);
  for (const { sessionId } of ends) proved.ended.add(sessionId);
  const isHeld = held.some(({ sessionId }) => sessionId === ending);
  if (!isHeld && incarnation === 1n) proved.withoutEnding = Math.max(proved.withoutEnding, Number(generation));
}

/** Fails when a row holds a text that is longer than anybody may say. */
function assertBounded(row: object): void {
  for (const [column, value] of Object.entries(row)) {
    if (typeof value !== 'string') continue;
    const texts =
      /^[[{]/.test(value) && ['facts', 'findings'].includes(column)
        ? Object.values(JSON.parse(value) as object)
        : [value];
    for (const text of texts.flat() as unknown[])
      assert.ok(String(text).length <= LONGEST_TEXT, `${column} of ${String(text).length} characters`);
  }
}
