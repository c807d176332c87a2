import { ConnectResponse, type ObservedState } from '@curfew/proto';
import {
  CurfewError,
  durationMs,
  END_REASONS,
  signLease,
  type BootMs,
  type Clock,
  type EndReason,
  type Logger,
} from '@curfew/shared';
import type { AuditLog } from '../audit/audit-log.js';
import type { Devices, DesiredSessions } from '../devices/devices.js';
import type { DeviceRow } from '../devices/find-device.js';
import type { Change, Ledger } from '../ledger/ledger.js';
import { readMeta } from '../ledger/ledger-meta.js';
import type { ServerKeys } from '../pki/server-keys.js';
import type { Requests } from '../requests/requests.js';
import { requestToProto } from '../rpc/records-to-proto.js';
import { observe } from '../sessions/observe.js';
import type { UseCaseContext } from '../use-case-context.js';
import { EndReason as ProtoEndReason } from '@curfew/proto';

/** One live link, as the hub sees it. */
export interface DeviceLink {
  readonly device: DeviceRow;
  readonly instance: string;
  readonly nonce: string;
  /** The server's boot clock when the hello arrived: the other end of the lease's duration. */
  readonly helloAt: BootMs;
  send(response: ConnectResponse): void;
  close(error: CurfewError): void;
  /** Leases that were signed for this nonce. */
  readonly leases: Map<string, string>;
}

export interface LinkHubOptions {
  readonly context: UseCaseContext;
  readonly ledger: Ledger;
  readonly devices: Devices;
  readonly requests: Requests;
  readonly auditLog: AuditLog;
  readonly keys: ServerKeys;
  readonly logger: Logger;
}

/** How long a removed device has to confirm that it holds nothing before its link is cut. */
const REMOVED_GRACE = durationMs(500);

/** Every live link: pushes desired states after each commit, fences doubles, and takes observed states in. */
export class LinkHub {
  private readonly links = new Map<string, DeviceLink>();
  private readonly fenced = new Map<string, Set<string>>();
  private readonly dirty = new Set<string>();
  /** The newest checkpoint that each witness keeps: its hello's, then the last one sent to it. */
  private readonly witnessed = new WeakMap<DeviceLink, Promise<string>>();
  private pumping = false;
  private readonly clock: Clock;

  constructor(private readonly options: LinkHubOptions) {
    this.clock = options.context.clock;
    options.ledger.onChange((changes) => {
      this.changed(changes);
    });
  }

  /** Whether the device's link is up. */
  readonly isLinked = (deviceId: string): boolean => this.links.has(deviceId);

  get linkedDevices(): string[] {
    return [...this.links.keys()];
  }

  /** Takes a link over after its hello; ends an older one of the same device. */
  async join(link: DeviceLink, knownCheckpoint: string): Promise<void> {
    const { id } = link.device;
    const older = this.links.get(id);
    const fenced = this.fenced.get(id) ?? new Set<string>();
    if (older !== undefined && older.instance !== link.instance) fenced.add(older.instance);
    this.fenced.set(id, fenced);
    this.links.set(id, link);
    older?.close(new CurfewError('LINK_FENCED'));
    if (fenced.has(link.instance)) {
      // A process that was replaced by another never comes back, unless two of them run.
      this.options.logger.warn('two agents use one identity', { deviceId: id, device: link.device.name });
      await this.options.devices.identityConflict(id);
    }
    this.witnessed.set(link, Promise.resolve(knownCheckpoint));
    await this.sendCheckpoint(link);
    await this.pushRequests(id);
    this.push([id]);
  }

  /** Forgets a link that has ended. */
  async leave(link: DeviceLink): Promise<void> {
    if (this.links.get(link.device.id) !== link) return;
    this.links.delete(link.device.id);
    await this.options.devices.seen(link.device.id);
  }

  /** Takes a device's observed state in. */
  async observed(link: DeviceLink, state: ObservedState): Promise<void> {
    const { incarnation } = await this.options.ledger.read((db) => readMeta(db));
    // What a device says of another incarnation's generations proves nothing about this one's.
    const generation = Number(state.incarnation) === incarnation ? Number(state.generation) : 0;
    await observe(this.options.context, link.device, {
      generation,
      held: state.held.map((grant) => ({ sessionId: grant.sessionId, epoch: Number(grant.epoch) })),
      ended: state.ended.map((grant) => ({
        sessionId: grant.sessionId,
        reason: endReasonFromProto(grant.reason),
        code: grant.code,
        detail: grant.detail,
      })),
    });
    if (state.refusalCode === 'LEDGER_ROLLED_BACK' || state.refusalCode === 'CHECKPOINT_INCONSISTENT')
      await this.options.devices.checkpointRefused(link.device.id, state.refusalCode);
  }

  /** Sends the newest checkpoint to every witness that does not have it. */
  async pushCheckpoints(): Promise<void> {
    for (const link of [...this.links.values()]) await this.sendCheckpoint(link);
  }

  /** Sends run one after the other: each proof starts from what the witness was sent before. */
  private async sendCheckpoint(link: DeviceLink): Promise<void> {
    const before = this.witnessed.get(link);
    if (before === undefined) return;
    const sent = before.then(async (known) => {
      const update = await this.options.auditLog.update(known);
      if (update.note === '' || update.note === known) return known;
      this.send(link, {
        $case: 'checkpoint',
        value: { checkpoint: { note: update.note }, consistencyProof: [...update.proof] },
      });
      return update.note;
    });
    this.witnessed.set(
      link,
      sent.catch(() => before),
    );
    await sent;
  }

  closeAll(): void {
    for (const link of this.links.values()) link.close(new CurfewError('LINK_FENCED'));
    this.links.clear();
  }

  private changed(changes: readonly Change[]): void {
    const devices = new Set<string>();
    for (const change of changes) {
      if (change.deviceId === '' || !this.links.has(change.deviceId)) continue;
      if (change.kind === 'request') void this.pushRequests(change.deviceId).catch(this.failed);
      else devices.add(change.deviceId);
    }
    this.push([...devices]);
  }

  /** Marks devices for a push. Pushes never overtake each other: one runs at a time, and reads the newest state. */
  private push(deviceIds: readonly string[]): void {
    for (const id of deviceIds) this.dirty.add(id);
    if (this.pumping || this.dirty.size === 0) return;
    this.pumping = true;
    void this.pump()
      .catch(this.failed)
      .finally(() => {
        this.pumping = false;
        this.push([]);
      });
  }

  private async pump(): Promise<void> {
    while (this.dirty.size > 0) {
      const ids = [...this.dirty];
      this.dirty.clear();
      const { incarnation } = await this.options.ledger.read((db) => readMeta(db));
      for (const desired of await this.options.devices.desired(ids)) await this.pushDesired(desired, incarnation);
    }
  }

  private async pushDesired(desired: DesiredSessions, incarnation: number): Promise<void> {
    const link = this.links.get(desired.device.id);
    if (link === undefined) return;
    const leases = [];
    for (const session of desired.sessions) leases.push(await this.lease(link, session, incarnation));
    this.send(link, {
      $case: 'desired',
      value: {
        generation: BigInt(desired.device.generation),
        incarnation: BigInt(incarnation),
        revokedEpoch: BigInt(desired.device.revoked_epoch),
        leases: leases.filter((lease) => lease !== ''),
        endNotices: desired.endNotices.map((notice) => ({ ...notice, reason: endReasonToProto(notice.reason) })),
      },
    });
    if (desired.device.state === 'removed')
      this.clock.after(REMOVED_GRACE, () => {
        link.close(new CurfewError('DEVICE_REMOVED'));
      });
  }

  private async lease(
    link: DeviceLink,
    session: DesiredSessions['sessions'][number],
    incarnation: number,
  ): Promise<string> {
    const key = `${session.id} ${session.epoch} ${session.expiresAtMs}`;
    const known = link.leases.get(key);
    if (known !== undefined) return known;
    const now = this.clock.now();
    const duration = Math.floor(session.expiresAtMs - now + (this.clock.bootTime() - link.helloAt));
    if (duration <= 0 || session.expiresAtMs <= now) return '';
    const token = await signLease(
      {
        sessionId: session.id,
        deviceKeyHash: link.device.key_hash,
        account: { ...session.account, sid: '' },
        options: session.options,
        incarnation,
        epoch: session.epoch,
        nonce: link.nonce,
        durationMs: duration,
        wallEndMs: session.expiresAtMs,
        issuedAtMs: now,
      },
      this.options.keys.lease,
    );
    link.leases.set(key, token);
    return token;
  }

  private async pushRequests(deviceId: string): Promise<void> {
    const link = this.links.get(deviceId);
    if (link === undefined) return;
    const requests = await this.options.requests.ofDevice(deviceId);
    this.send(link, { $case: 'requests', value: { requests: requests.map(requestToProto) } });
  }

  private send(link: DeviceLink, message: NonNullable<ConnectResponse['message']>): void {
    link.send(ConnectResponse.fromPartial({ message }));
  }

  private readonly failed = (error: unknown): void => {
    this.options.logger.error('push failed', { error });
  };
}

function endReasonFromProto(reason: ProtoEndReason): EndReason {
  const text = ProtoEndReason[reason].toLowerCase();
  return END_REASONS.find((known) => known === text) ?? 'failed';
}

const endReasonToProto = (reason: EndReason): ProtoEndReason =>
  (ProtoEndReason as unknown as Record<string, ProtoEndReason>)[reason.toUpperCase()] ?? ProtoEndReason.UNSPECIFIED;
