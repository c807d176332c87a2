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
import type { AuditLog, CheckpointWithProof } from '../audit/audit-log.js';
import type { DesiredSessions } from '../devices/desired-sessions.js';
import type { Devices } from '../devices/devices.js';
import type { DeviceRow } from '../devices/find-device.js';
import type { Change, Ledger } from '../ledger/ledger.js';
import { readMeta } from '../ledger/ledger-meta.js';
import { nextTurn } from '../next-turn.js';
import type { ServerKeys } from '../pki/server-keys.js';
import type { Requests } from '../requests/requests.js';
import { requestToProto } from '../rpc/records-to-proto.js';
import type { LostSince } from '../sessions/offline-end.js';
import { Observations } from '../sessions/observations.js';
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
  /** Leases that were signed for this nonce and are still offered. */
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

/** How many devices are told in one turn of the event loop. */
const PUSHED_AT_ONCE = 500;

/** The newest checkpoint with its proof, by the checkpoint that the witness keeps. */
type Updates = Map<string, CheckpointWithProof>;

type OfferedSession = DesiredSessions['sessions'][number];

/** What a lease says of its session; another text, another lease. */
const leaseKey = ({ id, epoch, expiresAtMs }: OfferedSession): string => `${id} ${epoch} ${expiresAtMs}`;

/** How long a removed device has to confirm that it holds nothing before its link is cut. */
const REMOVED_GRACE = durationMs(500);
/**
 * How long a process that has taken the link over from another waits for its leases. A process that was replaced and
 * still lives is back sooner, and then two agents are known to use the identity before the second one has got anything.
 */
const TAKEOVER_WAIT = durationMs(4_000);
/** How many replaced processes of a device are remembered. */
const FENCED_KEPT = 16;

/** Every live link: pushes desired states after each commit, fences doubles, and takes observed states in. */
export class LinkHub {
  private readonly links = new Map<string, DeviceLink>();
  /** The processes of each device that another one has replaced. */
  private readonly fenced = new Map<string, Set<string>>();
  /** Links that wait for their leases. */
  private readonly waiting = new WeakSet<DeviceLink>();
  private readonly dirty = new Set<string>();
  /** The newest checkpoint that each witness keeps: its hello's, then the last one sent to it. */
  private readonly witnessed = new WeakMap<DeviceLink, Promise<string>>();
  private readonly observations: Observations;
  /** When this process lost each device's link. */
  private readonly lost = new Map<string, number>();
  private readonly startedAt: number;
  private pumping = false;
  private readonly clock: Clock;

  constructor(private readonly options: LinkHubOptions) {
    this.clock = options.context.clock;
    this.startedAt = this.clock.now();
    this.observations = new Observations(options.context);
    options.ledger.onChange((changes) => {
      this.changed(changes);
    });
  }

  /** Whether the device's link is up. */
  readonly isLinked = (deviceId: string): boolean => this.links.has(deviceId);

  /**
   * Since when a device's link is lost. What happened before this process began is not known: a link may have been up
   * until then.
   */
  readonly lostSince: LostSince = (deviceId, lastSeenMs) =>
    this.links.has(deviceId) ? undefined : (this.lost.get(deviceId) ?? Math.max(this.startedAt, lastSeenMs ?? 0));

  get linkedDevices(): string[] {
    return [...this.links.keys()];
  }

  /** Takes a link over after its hello; ends an older one of the same device. */
  async join(
    link: DeviceLink,
    known: { readonly checkpoint: string; readonly leaseKeysVersion: number },
  ): Promise<void> {
    const { id } = link.device;
    const older = this.links.get(id);
    const fenced = this.fenced.get(id) ?? new Set<string>();
    if (older !== undefined && older.instance !== link.instance) {
      for (const oldest of [...fenced].slice(0, fenced.size - FENCED_KEPT + 1)) fenced.delete(oldest);
      fenced.add(older.instance);
      this.holdBack(link);
    }
    this.fenced.set(id, fenced);
    this.links.set(id, link);
    older?.close(new CurfewError('LINK_FENCED'));
    if (fenced.has(link.instance)) {
      // A process that was replaced by another never comes back, unless two of them run.
      this.options.logger.warn('two agents use one identity', { deviceId: id, device: link.device.name });
      await this.options.devices.identityConflict(id);
    }
    this.sendLeaseKeys(link, known.leaseKeysVersion);
    this.witnessed.set(link, Promise.resolve(known.checkpoint));
    await this.sendCheckpoint(link);
    await this.pushRequests(id);
    this.push([id]);
  }

  /** Begins anew to watch for two agents with a device's identity: an operator has said that the other one is gone. */
  conflictResolved(deviceId: string): void {
    this.fenced.delete(deviceId);
  }

  /** Forgets a link that has ended. */
  async leave(link: DeviceLink): Promise<void> {
    if (this.links.get(link.device.id) !== link) return;
    this.links.delete(link.device.id);
    this.lost.set(link.device.id, this.clock.now());
    await this.options.devices.seen(link.device.id);
  }

  /** Takes a device's observed state in. */
  async observed(link: DeviceLink, state: ObservedState): Promise<void> {
    await this.observations.take(link.device, {
      incarnation: Number(state.incarnation),
      generation: Number(state.generation),
      held: state.held.map((grant) => ({ sessionId: grant.sessionId, epoch: Number(grant.epoch) })),
      ended: state.ended.map((grant) => ({
        sessionId: grant.sessionId,
        reason: endReasonFromProto(grant.reason),
        code: grant.code,
        detail: grant.detail,
      })),
    });
    if (state.refusalCode !== 'LEDGER_ROLLED_BACK' && state.refusalCode !== 'CHECKPOINT_INCONSISTENT') return;
    // What a device refused of another incarnation says nothing of this one.
    const { incarnation } = await this.options.ledger.read((db) => readMeta(db));
    if (Number(state.incarnation) === incarnation)
      await this.options.devices.checkpointRefused(link.device.id, state.refusalCode);
  }

  /** Sends a new key set to every linked device, and leases signed with it after. Gives to how many. */
  leaseKeysRotated(): number {
    const { version } = this.options.keys.lease.set;
    for (const link of this.links.values()) {
      this.sendLeaseKeys(link, version - 1);
      link.leases.clear();
    }
    this.push([...this.links.keys()]);
    return this.links.size;
  }

  /** Leads a device from the keys that it trusts to the newest; what is sent after may be signed with those. */
  private sendLeaseKeys(link: DeviceLink, known: number): void {
    const { lease } = this.options.keys;
    if (known > lease.set.version)
      this.options.logger.error('a device trusts newer lease keys than this server has; its leases will be refused', {
        deviceId: link.device.id,
        version: known,
      });
    for (const signedKeySet of lease.chainAfter(known))
      this.send(link, { $case: 'leaseKeySet', value: { signedKeySet } });
  }

  /** Sends the newest checkpoint to every witness that does not have it. */
  async pushCheckpoints(): Promise<void> {
    // Nearly all witnesses keep the same checkpoint, so nearly all get the same proof.
    const updates: Updates = new Map();
    const links = [...this.links.values()];
    for (let at = 0; at < links.length; at += PUSHED_AT_ONCE) {
      for (const link of links.slice(at, at + PUSHED_AT_ONCE)) await this.sendCheckpoint(link, updates);
      await nextTurn();
    }
  }

  /** Sends run one after the other: each proof starts from what the witness was sent before. */
  private async sendCheckpoint(link: DeviceLink, updates: Updates = new Map()): Promise<void> {
    const before = this.witnessed.get(link);
    if (before === undefined) return;
    const sent = before.then(async (known) => {
      const update = updates.get(known) ?? (await this.options.auditLog.update(known));
      updates.set(known, update);
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
    for (const link of this.links.values()) link.close(new CurfewError('SERVER_STOPPING'));
    this.links.clear();
  }

  private holdBack(link: DeviceLink): void {
    this.waiting.add(link);
    this.clock.after(TAKEOVER_WAIT, () => {
      this.waiting.delete(link);
      if (this.links.get(link.device.id) === link) this.push([link.device.id]);
    });
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
      const ids = [...this.dirty].slice(0, PUSHED_AT_ONCE);
      for (const id of ids) this.dirty.delete(id);
      for (const desired of await this.options.devices.desired(ids)) await this.pushDesired(desired);
      // The first devices of a bulk work and answer while the others are told.
      if (this.dirty.size > 0) await nextTurn();
    }
  }

  private async pushDesired(desired: DesiredSessions): Promise<void> {
    const link = this.links.get(desired.device.id);
    if (link === undefined) return;
    const waits = this.waiting.has(link);
    // Nothing to give yet. What is to end does not wait.
    if (waits && desired.sessions.length > 0 && desired.endNotices.length === 0) return;
    const offers = waits || desired.rolledBack ? [] : desired.sessions;
    const leases = [];
    for (const session of offers) leases.push(await this.lease(link, session, desired.incarnation));
    const offered = new Set(offers.map(leaseKey));
    for (const key of link.leases.keys()) if (!offered.has(key)) link.leases.delete(key);
    this.send(link, {
      $case: 'desired',
      value: {
        generation: BigInt(desired.device.generation),
        incarnation: BigInt(desired.incarnation),
        revokedEpoch: BigInt(desired.device.revoked_epoch),
        leases: leases.filter((lease) => lease !== ''),
        checkpoint: desired.rolledBack ? undefined : { note: desired.checkpoint },
        keptSessionIds: desired.sessions.filter((session) => !offers.includes(session)).map(({ id }) => id),
        endNotices: desired.endNotices.map((notice) => ({ ...notice, reason: endReasonToProto(notice.reason) })),
      },
    });
    if (desired.device.state === 'removed')
      this.clock.after(REMOVED_GRACE, () => {
        link.close(new CurfewError('DEVICE_REMOVED'));
      });
  }

  private async lease(link: DeviceLink, session: OfferedSession, incarnation: number): Promise<string> {
    const key = leaseKey(session);
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
        ...(session.offlineEndAfterMs === null ? {} : { offlineEndAfterMs: session.offlineEndAfterMs }),
        issuedAtMs: now,
      },
      this.options.keys.lease.signing,
    );
    link.leases.set(key, token);
    return token;
  }

  private async pushRequests(deviceId: string): Promise<void> {
    const link = this.links.get(deviceId);
    if (link === undefined) return;
    const requests = await this.options.requests.ofDevice(deviceId);
    this.send(link, { $case: 'requests', value: { requests: requests.map((request) => requestToProto(request)) } });
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
