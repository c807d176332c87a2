import {
  CreateJoinTokenRequest,
  CreateUserRequest,
  DeviceServiceService,
  GetDeviceRequest,
  GrantSessionRequest,
  ListSessionsRequest,
  RevokeSessionsRequest,
  Role,
  SessionServiceService,
  UserServiceService,
} from '@curfew/proto';
import assert from 'node:assert/strict';
import { ControlPlane } from './control-plane.js';
import { agreeingLedger, fillLog, LEDGER_PARTS, ledgerNow } from './ledger-file.js';
import { OperatorClient } from './operator-client.js';
import { ScriptedDevice, type DeviceFloor, type JoinedServer } from './scripted-device.js';
import { MainThreadStrace, type CallPoint } from './strace-main-thread.js';
import type { Fault } from './strace-faults.js';
import { eventually } from './wait.js';

const SOON = { withinMs: 60_000, everyMs: 5 } as const;

/** Who holds a right when a fault strikes: two people on a device that is linked, and one on another that is not. */
const HOLDERS = [
  { user: 'alice', device: 'web-1' },
  { user: 'bob', device: 'web-1' },
  { user: 'alice', device: 'web-2' },
] as const;

/** A call on one of the files that a ledger consists of, or on any of them. */
export interface LedgerPoint extends CallPoint {
  readonly file: (typeof LEDGER_PARTS)[number] | 'any';
}

/** What came of a revoke that a fault may have struck. */
export interface Struck {
  /** Whether the call at the point was made at all. */
  readonly struck: boolean;
  /** How the caller was answered: '' for success, an error's code otherwise. */
  readonly answer: string;
}

/** A real server with linked devices, on which bulk revokes are struck by faults, one after the other. */
export class RevokeLane {
  private constructor(
    readonly plane: ControlPlane,
    readonly operator: OperatorClient,
    private readonly linked: ScriptedDevice,
    private readonly away: ScriptedDevice,
  ) {}

  private get devices(): readonly ScriptedDevice[] {
    return [this.linked, this.away];
  }

  /** Starts on a folder that is there, or on a scratch one. */
  static async start(folder?: string): Promise<RevokeLane> {
    const plane = await ControlPlane.start({}, folder);
    const operator = new OperatorClient(plane);
    const devices: ScriptedDevice[] = [];
    try {
      for (const hostname of new Set(HOLDERS.map(({ device }) => device)))
        devices.push(await enroll(plane, operator, hostname));
      for (const name of new Set(HOLDERS.map(({ user }) => user)))
        await operator.call(UserServiceService.createUser, CreateUserRequest.fromPartial({ name, role: Role.USER }));
      const [linked, away] = devices as [ScriptedDevice, ScriptedDevice];
      return new RevokeLane(plane, operator, linked, away);
    } catch (error) {
      for (const device of devices) device.close();
      operator.close();
      await plane.dispose();
      throw error;
    }
  }

  /** Everybody gets a right, and holds it; then one device goes away. With a full log, the next commit will copy it. */
  async arm(log: 'full' | 'short' = 'full'): Promise<void> {
    await Promise.all(
      HOLDERS.map((holder) =>
        this.operator.call(
          SessionServiceService.grantSession,
          GrantSessionRequest.fromPartial({ ...holder, duration: { seconds: 600n }, reason: 'a look' }),
        ),
      ),
    );
    await this.converged('active', HOLDERS.length);
    await this.lose(this.away);
    if (log === 'full') fillLog(this.plane.ledgerFile, 3);
  }

  revokeEverything(): Promise<unknown> {
    const request = { selection: { $case: 'everything', value: true }, reason: 'enough' } as const;
    return this.operator.call(SessionServiceService.revokeSessions, RevokeSessionsRequest.fromPartial(request), false);
  }

  /** Revokes everything, and waits until the device that is linked has confirmed. */
  async revokeAndWait(answered: () => void = () => undefined): Promise<void> {
    await this.revokeEverything();
    answered();
    await eventually(async () => (await this.liveCount()) === 1, { ...SOON, what: 'a confirmed end' });
  }

  /** Revokes everything while a fault waits at a point; it waits until the devices have confirmed, or the server died. */
  async strike(point: LedgerPoint, fault: Fault): Promise<Struck> {
    const { plane } = this;
    const parts = point.file === 'any' ? LEDGER_PARTS : [point.file];
    const files = parts.map((part) => plane.ledgerFile + part);
    const strace = await MainThreadStrace.strike(plane.pid, files, point, fault);
    const answer = await this.revokeEverything().then(() => '', codeOf);
    // Without an answer the server is on its way out. With one, the window ends when the device has confirmed, which
    // it cannot while the disk stays full.
    const isOver = async (): Promise<boolean> => {
      if (!plane.isRunning || answer === 'SERVER_UNREACHABLE') return !plane.isRunning;
      return answer !== '' || (point.andAllAfter === true && strace.hasStruck) || (await this.liveCount()) === 1;
    };
    await eventually(isOver, { ...SOON, what: `an end after ${fault} (the revoke answered '${answer}')` });
    const struck = !plane.isRunning || strace.hasStruck;
    await strace.detach(plane.isRunning);
    return { struck, answer };
  }

  /** Revokes everything undisturbed and gives the server's calls, as strace writes them, until the device has confirmed. */
  async watch(calls: readonly string[]): Promise<string[]> {
    const strace = await MainThreadStrace.watch(this.plane.pid, calls);
    await this.revokeAndWait();
    return strace.detach();
  }

  /** Starts the server again when it has ended, and links the devices again. */
  async resume(): Promise<void> {
    if (!this.plane.isRunning) await this.plane.run();
    await Promise.all(this.devices.map((device) => device.goOnline()));
  }

  /** What the ledger says after a fault: it agrees with itself, and everything is revoked (true) or nothing is. */
  async isRevoked(): Promise<boolean> {
    const { sessions, rolledBack } = agreeingLedger(this.plane.ledgerFile);
    assert.equal(rolledBack, '', 'no device has seen more than the ledger holds');
    const last = sessions.slice(-HOLDERS.length).map(({ state }) => (state === 'active' ? 'active' : 'revoked'));
    assert.equal(new Set(last).size, 1, 'all are revoked or none');
    const revoked = last[0] === 'revoked';
    await this.converged(revoked ? 'ended' : 'active', revoked ? 0 : HOLDERS.length);
    return revoked;
  }

  /** The newest desired state that the linked device has seen. */
  get floor(): DeviceFloor {
    return this.linked.floor;
  }

  /**
   * What another server says that was started on a copy of this ledger, when the linked device comes to it with what it
   * had seen: the ledger agrees with itself, everything is revoked or nothing, and the device holds just what is live.
   * Gives whether all is revoked.
   */
  async isRevokedBefore(server: JoinedServer, file: string, seen: DeviceFloor): Promise<boolean> {
    const device = this.linked.before(server, seen);
    try {
      await device.goOnline();
      const { sessions, rolledBack } = agreeingLedger(file);
      assert.equal(rolledBack, '', 'the device has not seen more than the ledger holds');
      const newest = sessions.slice(-HOLDERS.length);
      const live = newest.filter(({ state }) => state === 'active');
      assert.ok(live.length === 0 || live.length === HOLDERS.length, 'all are revoked or none');
      const own = live.filter((session) => session.device_id === device.id).map(({ id }) => id);
      assert.deepEqual([...device.held].sort(), own.sort(), 'the device holds what is live');
      return live.length === 0;
    } finally {
      device.close();
    }
  }

  /** Waits until the newest sessions are in the state, and the devices hold as many rights as they should. */
  private async converged(state: string, held: number): Promise<void> {
    await eventually(
      () => {
        const { states, devices } = ledgerNow(this.plane.ledgerFile, HOLDERS.length);
        assert.deepEqual(states, Array(HOLDERS.length).fill(state));
        assert.equal(this.devices.flatMap((device) => device.held).length, held);
        return devices.every((device) => device.applied_generation === device.generation);
      },
      { ...SOON, what: `${state} sessions, ${held} of them held` },
    );
  }

  /** How many sessions are not over; undefined when the server does not say. */
  async liveCount(): Promise<number | undefined> {
    const page = ListSessionsRequest.fromPartial({});
    return this.operator.call(SessionServiceService.listSessions, page, false).then(
      (answer) => answer.totalSize,
      () => undefined,
    );
  }

  /** Cuts a device's link and waits until the server has written that down. */
  private async lose(device: ScriptedDevice): Promise<void> {
    const seen = (): number | null | undefined =>
      ledgerNow(this.plane.ledgerFile, 0).devices.find(({ id }) => id === device.id)?.last_seen_at_ms;
    const before = seen();
    device.goOffline();
    await eventually(() => seen() !== before, { ...SOON, what: 'a device that is away' });
  }

  async close(): Promise<void> {
    for (const device of this.devices) device.close();
    this.operator.close();
    await this.plane.dispose();
  }
}

/** Enrols a device with the accounts of those who will hold a right there, and waits until the server knows them. */
async function enroll(plane: ControlPlane, operator: OperatorClient, hostname: string): Promise<ScriptedDevice> {
  const accounts = HOLDERS.filter(({ device }) => device === hostname).map(({ user }) => user);
  const made = await operator.call(DeviceServiceService.createJoinToken, CreateJoinTokenRequest.fromPartial({}));
  const device = await ScriptedDevice.enroll(plane, made.secret, hostname, accounts);
  const areKnown = async (): Promise<boolean> => {
    const request = GetDeviceRequest.fromPartial({ device: hostname });
    const answer = await operator.call(DeviceServiceService.getDevice, request);
    return answer.device?.accounts.length === accounts.length;
  };
  await eventually(areKnown, { ...SOON, what: `the accounts of ${hostname}` });
  return device;
}

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? String(error);
