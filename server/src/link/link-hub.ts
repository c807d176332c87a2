import { ConnectResponse, type ObservedState } from '@curfew/proto';
import { CurfewError, durationMs, END_REASONS, isId, type Clock, type EndReason, type Logger } from '@curfew/shared';
import type { AuditLog, CheckpointWithProof } from '../audit/audit-log.js';
import type { DesiredSessions } from '../devices/desired-sessions.js';
import type { Devices } from '../devices/devices.js';
import type { Change, Ledger } from '../ledger/ledger.js';
import { readMeta } from '../ledger/ledger-meta.js';
import { nextTurn } from '../next-turn.js';
import type { ServerKeys } from '../pki/server-keys.js';
import type { Recordings } from '../recordings/recordings.js';
import type { ReleaseOffers } from '../releases/release-offers.js';
import type { Requests } from '../requests/requests.js';
import { requestToProto } from '../rpc/records-to-proto.js';
import type { LostSince } from '../sessions/offline-end.js';
import { Observations } from '../sessions/observations.js';
import { Pusher } from './pusher.js';
import type { DeviceLink } from './device-link.js';
import { ALONE, type LinkPresence } from './link-presence.js';
import { LinkKeys } from './link-keys.js';
import { leaseKey, LinkLeases } from './link-leases.js';
import type { UseCaseContext } from '../use-case-context.js';
import { EndReason as ProtoEndReason } from '@curfew/proto';

export interface LinkHubOptions {
  readonly context: UseCaseContext;
  readonly ledger: Ledger;
  readonly devices: Devices;
  readonly requests: Requests;
  readonly recordings: Pick<Recordings, 'toCut'>;
  readonly auditLog: AuditLog;
  readonly offers: Pick<ReleaseOffers, 'to' | 'forget'>;
  /** Whether Curfew is taken off devices only with an operator's code. */
  readonly uninstallNeedsCode: boolean;
  readonly keys: ServerKeys;
  readonly logger: Logger;
  /** What is known of links to other servers; none without. */
  readonly presence?: LinkPresence;
}

/** How many witnesses are told in one turn of the event loop. */
const TOLD_AT_ONCE = 500;

/** The newest checkpoint with its proof, by the checkpoint that the witness keeps. */
type Updates = Map<string, CheckpointWithProof>;

/** Since when the link's key is the device's; a later key is the one that counts. */
const keySince = ({ device }: DeviceLink): number => device.key_since_ms ?? 0;

/** How long a device that was removed, or enrolled anew, has to confirm that it holds nothing before its link is cut. */
const GONE_GRACE = durationMs(500);
/**
 * How long a process that has taken the link over from another waits for its leases. A process that was replaced and
 * still lives is back sooner, and then two agents are known to use the identity before the second one has got anything.
 */
const TAKEOVER_WAIT = durationMs(4_000);
/** Connections get older than said by a tenth at the most. */
const AGED = 1.2;
/** In how many minutes all links could be ended that have become old together. */
const SPREAD_OVER = 10;
/** A server that leaves others behind ends so many links at once, and takes no longer for all than that. */
const CLOSED_AT_ONCE = 50;
const [DRAIN_PAUSE_MS, DRAIN_MS] = [200, 5_000];
/** How many replaced processes of a device are remembered. */
const FENCED_KEPT = 16;

/** Every live link: pushes desired states after each commit, fences doubles, and takes observed states in. */
export class LinkHub {
  private readonly links = new Map<string, DeviceLink>();
  /** The processes of each device that another one has replaced. */
  private readonly fenced = new Map<string, Set<string>>();
  /** Links that wait for their leases. */
  private readonly waiting = new WeakSet<DeviceLink>();
  private readonly pushes: Pusher<DesiredSessions>;
  /** The newest checkpoint that each witness keeps: its hello's, then the last one sent to it. */
  private readonly witnessed = new WeakMap<DeviceLink, Promise<string>>();
  private readonly observations: Observations;
  /** When this process lost each device's link. */
  private readonly lost = new Map<string, number>();
  private isStopping = false;
  private readonly startedAt: number;
  private readonly clock: Clock;
  private readonly presence: LinkPresence;
  private readonly leases: LinkLeases;
  private readonly leaseKeys: LinkKeys;

  constructor(private readonly options: LinkHubOptions) {
    this.clock = options.context.clock;
    this.startedAt = this.clock.now();
    this.pushes = new Pusher({
      clock: this.clock,
      logger: options.logger,
      isLinked: (id) => this.links.has(id),
      desired: (ids) => options.devices.desired(ids),
      tellState: (desired) => this.pushDesired(desired),
      tellRequests: (id) => this.pushRequests(id),
    });
    this.presence = options.presence ?? ALONE;
    this.leases = new LinkLeases(this.clock, options.keys);
    this.leaseKeys = new LinkKeys(options.keys.lease, options.logger, () => this.leaseKeysRotated());
    this.observations = new Observations(options.context);
    options.ledger.onChange((changes) => {
      this.changed(changes);
    });
  }

  /** Whether the device's link is up, here or at another server. */
  readonly isLinked = (deviceId: string): boolean => this.links.has(deviceId) || this.presence.isElsewhere(deviceId);

  /**
   * Since when a device's link is lost. What happened before this process began is not known: a link may have been up
   * until then.
   */
  readonly lostSince: LostSince = (deviceId, lastSeenMs) =>
    this.isLinked(deviceId)
      ? undefined
      : Math.max(
          this.lost.get(deviceId) ?? Math.max(this.startedAt, lastSeenMs ?? 0),
          this.presence.lostElsewhereAt(deviceId) ?? 0,
        );

  get linkedDevices(): string[] {
    return [...new Set([...this.links.keys(), ...this.presence.elsewhere])];
  }

  /** Begins to follow the links of other servers. */
  followOthers(): Promise<void> {
    const held = (): Map<string, string> => new Map(Array.from(this.links, ([id, { instance }]) => [id, instance]));
    return this.presence.start(held, (deviceId, instance) => {
      const link = this.links.get(deviceId);
      if (link === undefined) return;
      this.links.delete(deviceId);
      if (instance !== link.instance) this.fence(deviceId, link.instance);
      link.close(new CurfewError('LINK_FENCED'));
    });
  }

  get linkCount(): number {
    return this.links.size;
  }

  /** How many devices wait to be told of something. */
  get pushesWaiting(): number {
    return this.pushes.size;
  }

  /** Takes a link over after its hello; ends an older one of the same device. Takes none over once the server stops. */
  async join(
    link: DeviceLink,
    known: { readonly checkpoint: string; readonly leaseKeysVersion: number },
  ): Promise<void> {
    const { id } = link.device;
    const greeted = this.leaseKeys.greet(link, known.leaseKeysVersion);
    if (greeted !== undefined) await greeted;
    const present = this.links.get(id);
    if (present !== undefined && keySince(present) > keySince(link)) {
      link.close(new CurfewError('DEVICE_KEY_REPLACED'));
      return;
    }
    const joining = this.isStopping ? undefined : this.presence.join(id, link.instance);
    const elsewhere = joining === undefined ? undefined : await joining;
    if (this.isStopping) {
      link.close(new CurfewError('SERVER_STOPPING'));
      return;
    }
    const older = this.links.get(id);
    const isFirstOfKey = older !== undefined && older.device.key_hash !== link.device.key_hash;
    if (isFirstOfKey) this.fenced.delete(id);
    for (const instance of isFirstOfKey ? [] : [elsewhere, older?.instance])
      if (instance !== undefined && instance !== link.instance) {
        this.fence(id, instance);
        this.holdBack(link);
      }
    this.links.set(id, link);
    older?.close(new CurfewError(isFirstOfKey ? 'DEVICE_KEY_REPLACED' : 'LINK_FENCED'));
    if (this.fenced.get(id)?.has(link.instance) === true) {
      // A process that was replaced by another never comes back, unless two of them run.
      this.options.logger.warn('two agents use one identity', { deviceId: id, device: link.device.name });
      await this.options.devices.identityConflict(id);
    }
    this.leaseKeys.lead(link);
    this.witnessed.set(link, Promise.resolve(known.checkpoint));
    await this.sendCheckpoint(link);
    await this.pushRequests(id);
    this.push([id]);
  }

  /** Remembers that another process of a device's agent has taken the link over from this one. */
  private fence(deviceId: string, instance: string): void {
    const fenced = this.fenced.get(deviceId) ?? new Set<string>();
    for (const oldest of [...fenced].slice(0, fenced.size - FENCED_KEPT + 1)) fenced.delete(oldest);
    fenced.add(instance);
    this.fenced.set(deviceId, fenced);
  }

  /** Tells a device that a command of one of its sessions is to end. */
  cutWished(deviceId: string): void {
    this.push([deviceId]);
  }

  /** Forgets a link that has ended. */
  async leave(link: DeviceLink): Promise<void> {
    if (this.links.get(link.device.id) !== link) return;
    this.links.delete(link.device.id);
    this.lost.set(link.device.id, this.clock.now());
    const leaving = this.presence.leave(link.device.id);
    if (leaving !== undefined) await leaving;
    await this.options.devices.seen(link.device.id);
  }

  /** Takes a device's observed state in. */
  async observed(link: DeviceLink, state: ObservedState): Promise<void> {
    await this.observations.take(link.device, {
      incarnation: Number(state.incarnation),
      generation: link.isAhead && state.refusalCode === '' ? 0 : Number(state.generation),
      held: state.held.map((grant) => ({ sessionId: grant.sessionId, epoch: Number(grant.epoch) })),
      ended: state.ended.map((grant) => ({
        sessionId: grant.sessionId,
        reason: endReasonFromProto(grant.reason),
        code: grant.code,
        detail: grant.detail,
      })),
    });
    if (state.refusalCode !== 'LEDGER_ROLLED_BACK') return;
    // What a device refused of another incarnation says nothing of this one.
    const { incarnation } = await this.options.ledger.read((db) => readMeta(db));
    if (Number(state.incarnation) === incarnation)
      await this.options.devices.serverRefused(link.device.id, state.refusalCode, false);
  }

  /** Sends new key sets to every linked device, and leases signed with it after. Gives to how many. */
  leaseKeysRotated(): number {
    for (const link of this.links.values()) {
      this.leaseKeys.lead(link);
      link.leases.clear();
    }
    this.push([...this.links.keys()]);
    return this.links.size;
  }

  /** Sends the newest checkpoint to every witness that does not have it. */
  async pushCheckpoints(): Promise<void> {
    // Nearly all witnesses keep the same checkpoint, so nearly all get the same proof.
    const updates: Updates = new Map();
    const links = [...this.links.values()];
    for (let at = 0; at < links.length; at += TOLD_AT_ONCE) {
      for (const link of links.slice(at, at + TOLD_AT_ONCE)) await this.sendCheckpoint(link, updates);
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

  /**
   * Ends links that are older than connections get, a few at a time: their agents are back at once, on new connections,
   * at whichever server those lead to.
   */
  spread(connectionAgeMs: number): void {
    const before = this.clock.bootTime() - connectionAgeMs * AGED;
    const old = [...this.links.values()].filter(({ helloAt }) => helloAt < before);
    const most = Math.ceil(this.links.size / SPREAD_OVER);
    for (const link of old.slice(0, most)) link.close(new CurfewError('SERVER_STOPPING'));
  }

  /**
   * Ends every link; where there are other servers, not all at a time: the agents go to those. Until its turn has come a
   * device is told what changes.
   */
  async closeAll(): Promise<void> {
    this.isStopping = true;
    const links = [...this.links.values()];
    const pauseMs = this.presence === ALONE ? 0 : Math.min(DRAIN_PAUSE_MS, DRAIN_MS / (links.length / CLOSED_AT_ONCE));
    for (let at = 0; at < links.length; at += CLOSED_AT_ONCE) {
      for (const link of links.slice(at, at + CLOSED_AT_ONCE)) {
        this.links.delete(link.device.id);
        link.close(new CurfewError('SERVER_STOPPING'));
      }
      if (pauseMs > 0 && at + CLOSED_AT_ONCE < links.length)
        await new Promise<void>((resolve) => {
          this.clock.after(durationMs(pauseMs), resolve);
        });
    }
  }

  private holdBack(link: DeviceLink): void {
    this.waiting.add(link);
    this.clock.after(TAKEOVER_WAIT, () => {
      this.waiting.delete(link);
      if (this.links.get(link.device.id) === link) this.push([link.device.id]);
    });
  }

  private changed(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === 'ledger' && (change.id === '' || isId('rollout', change.id))) {
        this.options.offers.forget();
        for (const id of this.links.keys()) this.pushes.add(id, 'state');
      }
      // An operator has said that the other agent is gone: it is watched for anew.
      if (change.kind === 'ledger' && isId('device', change.id)) this.fenced.delete(change.id);
      if (change.deviceId === '' || !this.links.has(change.deviceId)) continue;
      const other = change.kind === 'request' ? 'requests' : 'state';
      this.pushes.add(change.deviceId, change.takesAway === true ? 'loss' : other);
    }
    this.push([]);
  }

  private push(deviceIds: readonly string[]): void {
    for (const id of deviceIds) this.pushes.add(id, 'state');
    this.pushes.start();
  }

  private async pushDesired(desired: DesiredSessions): Promise<void> {
    const link = this.links.get(desired.device.id);
    if (link === undefined) return;
    if (link.device.key_hash !== desired.device.key_hash) link.isFormer = true;
    const sessions = link.isFormer === true ? [] : desired.sessions;
    const waits = this.waiting.has(link);
    // Nothing to give yet. What is to end does not wait.
    if (waits && sessions.length > 0 && desired.endNotices.length === 0) return;
    const offers = waits || desired.rolledBack ? [] : sessions;
    const leases = [];
    for (const session of offers) leases.push(await this.leases.of(link, session, desired.incarnation));
    const cutRecordingIds = await this.options.recordings.toCut(link.device.id);
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
        keptSessionIds: sessions.filter((session) => !offers.includes(session)).map(({ id }) => id),
        endNotices: desired.endNotices.map((notice) => ({ ...notice, reason: endReasonToProto(notice.reason) })),
        cutRecordingIds,
        offeredRelease: desired.rolledBack ? '' : await this.options.offers.to(desired.device),
        uninstallNeedsCode: this.options.uninstallNeedsCode,
      },
    });
    this.options.context.tracing?.told(link.device.id, offers);
    const over = desired.device.state === 'removed' ? 'DEVICE_REMOVED' : link.isFormer ? 'DEVICE_KEY_REPLACED' : '';
    if (over !== '')
      this.clock.after(GONE_GRACE, () => {
        link.close(new CurfewError(over));
      });
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
}

function endReasonFromProto(reason: ProtoEndReason): EndReason {
  const text = ProtoEndReason[reason].toLowerCase();
  return END_REASONS.find((known) => known === text) ?? 'failed';
}

const endReasonToProto = (reason: EndReason): ProtoEndReason =>
  (ProtoEndReason as unknown as Record<string, ProtoEndReason>)[reason.toUpperCase()] ?? ProtoEndReason.UNSPECIFIED;
