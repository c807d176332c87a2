import { ConnectRequest, type ConnectResponse } from '@curfew/proto';
import { SecretFiles, SqliteLedger } from '@curfew/server';
import {
  CallLimits,
  DeviceResources,
  ExpiryTimer,
  JoinTokens,
  LinkHub,
  linkHandlers,
  openServerKeys,
  readMeta,
  recoverLedger,
  openReleases,
  Recordings,
  Requests,
  restoreLedger,
  SessionChanges,
  Sessions,
  UNAVAILABLE_RECORDINGS,
  Users,
  type AuditLog,
  type Caller,
  type DeviceRow,
  type DuplexLink,
  type Devices,
  type ServerKeys,
} from '@curfew/server/parts';
import { CurfewError, ManualClock, silentLogger, type Random } from '@curfew/shared';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { layerFolder, removeLayerFolder } from '../../support/scratch.js';
import type { MemoryWire } from './memory-wire.js';
import { SOUND_PARTS, type ModelParts } from './model-parts.js';
import { seededRandom } from '../../support/seeded-random.js';

/** The people of the model's one device. */
export const PEOPLE = [
  { name: 'alice', uid: 1000, sid: '', fingerprint: 'a'.repeat(64), ineligibleReason: '' },
  { name: 'bob', uid: 1001, sid: '', fingerprint: 'b'.repeat(64), ineligibleReason: '' },
] as const;

export const DEVICE_KEY_HASH = 'd'.repeat(64);

const HOUR_MS = 3_600_000;
const SETTINGS = {
  maxSessionMs: HOUR_MS,
  decideWithinMs: HOUR_MS,
  startWithinMs: HOUR_MS,
  passwordRequired: false,
  linkAccounts: 'by_name',
} as const;
const UNLIMITED = {
  tokenCallsPerSecond: 1e9,
  deviceMessagesPerSecond: 1e9,
  unknownCallsPerMinute: 1e9,
  watchesPerToken: 1e9,
  callsAtOnce: 1e9,
};

/** What every run begins with: a ledger that knows an owner, two people and one device, and the keys. */
export interface Template {
  readonly folder: string;
  readonly keys: ServerKeys;
  readonly owner: Caller;
  readonly deviceId: string;
  remove(): void;
}

export async function makeTemplate(): Promise<Template> {
  // In memory: what a disk does to the ledger is tested elsewhere, and here it would only take time.
  const folder = layerFolder();
  const keys = await openServerKeys(new SecretFiles(join(folder, 'pki')));
  const [clock, random] = [new ManualClock(), seededRandom('template')];
  const ledger = await openLedger(join(folder, 'template.db'), { clock, random, keys });
  const context = { ledger, clock, random, settings: SETTINGS };
  const [users, devices] = [new Users(context), SOUND_PARTS.devices(context)];
  const { id: userId, name: userName } = await users.create('server', {
    name: 'olga',
    displayName: '',
    role: 'owner',
  });
  const owner = { userId, userName, tokenId: 'none', role: 'owner' } as const;
  for (const { name } of PEOPLE) await users.create('server', { name, displayName: '', role: 'user' });
  const { secret } = await new JoinTokens(context, 'f'.repeat(64)).create(owner, { uses: 1, ttlMs: 1_000 });
  const enrolled = { joinToken: secret, keyHash: DEVICE_KEY_HASH, hostname: 'web-1', facts: {} };
  const device = await devices.enroll(enrolled);
  const accounts = PEOPLE.map(({ name, uid, fingerprint }) => ({
    ...{ name, uid, fingerprint },
    standingAdmin: false,
    ineligibleReason: '',
  }));
  await devices.report(device.id, { accounts, findings: [], leaseRefusals: [] });
  await ledger.close();
  return {
    folder,
    keys,
    owner,
    deviceId: device.id,
    remove: () => {
      removeLayerFolder(folder);
    },
  };
}

interface LedgerParts {
  readonly clock: ManualClock;
  readonly random: Random;
  readonly keys: ServerKeys;
}

const ledgerOptions = (file: string, { clock, random, keys }: LedgerParts) => ({
  ...{ file, clock, random, noteKey: keys.note },
  fatal: (error: unknown) => {
    throw error;
  },
});

const openLedger = (file: string, parts: LedgerParts): Promise<SqliteLedger> =>
  SqliteLedger.open(ledgerOptions(file, parts));

/** One server process: the real ledger on a file, the real use cases and hub, and no network. */
export class ModelServer {
  readonly devices: Devices;
  readonly requests: Requests;
  readonly sessions: Sessions;
  readonly auditLog: AuditLog;
  readonly hub: LinkHub;
  private readonly handlers: ReturnType<typeof linkHandlers>;
  private readonly expiry: ExpiryTimer;
  private readonly joinTokens: JoinTokens;

  private constructor(
    readonly ledger: SqliteLedger,
    readonly clock: ManualClock,
    random: Random,
    keys: ServerKeys,
    parts: ModelParts,
  ) {
    const logger = silentLogger;
    const context = { ledger, clock, random, settings: SETTINGS };
    this.devices = parts.devices(context);
    this.joinTokens = new JoinTokens(context, 'f'.repeat(64));
    this.requests = new Requests(context);
    this.sessions = new Sessions(context);
    this.auditLog = parts.auditLog(ledger, keys.note);
    const { devices, requests, sessions, auditLog } = this;
    const recordings = new Recordings(context, UNAVAILABLE_RECORDINGS, 0);
    const { offers, releases } = openReleases(context, '/nonexistent');
    const told = { offers, uninstallNeedsCode: false };
    this.hub = new LinkHub({ context, ledger, devices, requests, recordings, auditLog, ...told, keys, logger });
    const limits = new CallLimits(clock, UNLIMITED);
    const resources = new DeviceResources(context);
    const changes = new SessionChanges(context, logger);
    const linkParts = {
      context,
      hub: this.hub,
      auditLog,
      devices,
      requests,
      resources,
      sessions,
      changes,
      recordings,
      releases,
      limits,
      logger,
    };
    this.handlers = linkHandlers(linkParts);
    this.expiry = new ExpiryTimer(ledger, sessions, clock, logger, this.hub.lostSince);
  }

  static async start(file: string, given: LedgerParts, parts: ModelParts): Promise<ModelServer> {
    return new ModelServer(await openLedger(file, given), given.clock, given.random, given.keys, parts);
  }

  /** Takes a link of the device on. Errors: DEVICE_REMOVED. */
  async accept(wire: MemoryWire): Promise<void> {
    const fail = (): void => {
      wire.cut();
    };
    const decode = (bytes: Buffer): ConnectRequest => ConnectRequest.decode(bytes);
    await this.connect({ call: wire.server as never, decode, fail, settled: () => undefined });
  }

  /** Takes a link of the device on, whatever it comes through. Errors: DEVICE_REMOVED. */
  async connect(link: Omit<DuplexLink<ConnectRequest, ConnectResponse>, 'identity'>): Promise<void> {
    this.handlers.connect({ ...link, identity: { kind: 'device', device: await this.device() } });
  }

  /** Enrols another device, which no agent of the model speaks for. */
  async enrol(owner: Caller, device: { readonly keyHash: string; readonly hostname: string }): Promise<DeviceRow> {
    const { secret } = await this.joinTokens.create(owner, { uses: 1, ttlMs: HOUR_MS });
    return this.devices.enroll({ ...device, joinToken: secret, facts: {} });
  }

  device(): Promise<DeviceRow> {
    return this.devices.byKeyHash(DEVICE_KEY_HASH);
  }

  /** Why nothing is granted; '' when all is well. */
  rolledBack(): Promise<string> {
    return this.ledger.read(async (db) => (await readMeta(db)).rolledBack);
  }

  rows() {
    return this.ledger.read((db) => db.selectFrom('session').select(['id', 'state', 'created_at_ms']).execute());
  }

  async stop(): Promise<void> {
    this.expiry.stop();
    await this.ledger.close();
  }
}

/** The server's machine: its ledger's file, and the backups of it. */
export class ModelServerMachine {
  readonly file: string;
  readonly random: Random;
  private copies = 0;

  constructor(
    readonly template: Template,
    private readonly parts: ModelParts,
    run: number,
    public clock = new ManualClock(),
  ) {
    this.file = join(template.folder, `ledger-${run}.db`);
    this.random = seededRandom('server');
    copyFileSync(join(template.folder, 'template.db'), this.file);
  }

  /** Starts a process. Its timers are its own: those of one that has ended do nothing. */
  start(): Promise<ModelServer> {
    this.clock = new ManualClock(this.clock.now(), this.clock.bootTime());
    return ModelServer.start(this.file, this.ledgerParts, this.parts);
  }

  /** Copies the ledger while it is in use, and gives the copy's file. */
  async backup(server: ModelServer): Promise<string> {
    const file = `${this.file}.backup-${this.copies++}`;
    await server.ledger.backup(file);
    return file;
  }

  /** What `curfew-server restore` does; no process runs. */
  async restore(backup: string): Promise<void> {
    await restoreLedger(backup, ledgerOptions(this.file, this.ledgerParts));
  }

  /** What somebody does who copies files by hand. */
  rollBack(backup: string): void {
    this.removeLedger();
    copyFileSync(backup, this.file);
  }

  /** What `curfew-server recover` does; no process runs. */
  async recover(): Promise<void> {
    const ledger = await openLedger(this.file, this.ledgerParts);
    await recoverLedger(ledger, this.clock);
    await ledger.close();
  }

  /** Whether a ledger in a file has signed a checkpoint. */
  async knows(file: string, note: string): Promise<boolean> {
    const ledger = await openLedger(file, this.ledgerParts);
    const notes = await ledger.read((db) => db.selectFrom('audit_checkpoint').select('note').execute());
    await ledger.close();
    return notes.some((row) => row.note === note);
  }

  remove(): void {
    this.removeLedger();
    for (let copy = 0; copy < this.copies; copy += 1)
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${this.file}.backup-${copy}${suffix}`, { force: true });
  }

  private removeLedger(): void {
    for (const suffix of ['', '-wal', '-shm']) rmSync(this.file + suffix, { force: true });
  }

  private get ledgerParts(): LedgerParts {
    return { clock: this.clock, random: this.random, keys: this.template.keys };
  }
}

/** Whether an error is an answer of Curfew's and not a fault of the program. */
export const isRefusal = (error: unknown): error is CurfewError =>
  error instanceof CurfewError && error.code !== 'INTERNAL';
