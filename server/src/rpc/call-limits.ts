import { CurfewError, formatDuration, TokenBuckets, type Clock, type ErrorCode } from '@curfew/shared';
import { isIPv6 } from 'node:net';
import type { Identity } from './authenticate.js';

/** How much callers may do. */
export interface LimitSettings {
  /** Calls of one API token in a second. */
  readonly tokenCallsPerSecond: number;
  /** Messages and calls of one device in a second. */
  readonly deviceMessagesPerSecond: number;
  /** Calls from one address in a minute on which nobody says truly who they are. */
  readonly unknownCallsPerMinute: number;
  /** Streams of changes that one API token, or one device, may hold open. */
  readonly watchesPerToken: number;
  /** Calls of everybody together that may be at work at a time. */
  readonly callsAtOnce: number;
}

/** For how long a caller is sent away whom there was no room for. */
const BUSY_MS = 1_000;
/** How many seconds' worth may come at once. */
const BURST_SECONDS = 5;

/** Methods that only take rights away. They are never counted and never refused, so that no flood of other calls can keep them waiting. */
const NEVER_COUNTED: ReadonlySet<string> = new Set([
  '/curfew.admin.v1.SessionService/RevokeSessions',
  '/curfew.admin.v1.RecordingService/CutRecording',
  '/curfew.admin.v1.DeviceService/RemoveDevice',
  '/curfew.admin.v1.DeviceService/RevokeJoinToken',
  '/curfew.admin.v1.UserService/RevokeApiToken',
  '/curfew.admin.v1.AccessService/EndMySession',
  '/curfew.admin.v1.SignInService/EndSignIn',
  '/curfew.agent.v1.LinkService/CancelAccessRequest',
  '/curfew.agent.v1.LinkService/EndResourceSession',
]);

/** What is much, and counts by itself: what else a device says must not wait for it. */
const BULK: ReadonlySet<string> = new Set([
  '/curfew.agent.v1.LinkService/AppendRecording',
  '/curfew.agent.v1.LinkService/FetchRelease',
]);

/** What is answered to somebody who is not who they say, or does not say. */
const GUESSES: ReadonlySet<ErrorCode> = new Set([
  'NOT_SIGNED_IN',
  'JOIN_TOKEN_INVALID',
  'DEVICE_CERTIFICATE_REQUIRED',
  'DEVICE_UNKNOWN',
  'DEVICE_REMOVED',
  'DEVICE_KEY_REPLACED',
  'CSR_INVALID',
]);

/** Bounds what each caller can make the server do. A caller's limit is its own: others are served meanwhile. */
export class CallLimits {
  private readonly tokens: TokenBuckets;
  private readonly devices: TokenBuckets;
  private readonly bulk: TokenBuckets;
  private readonly addresses: TokenBuckets;
  private readonly watches = new Map<string, number>();
  private atWork = 0;

  constructor(
    clock: Clock,
    private readonly settings: LimitSettings,
  ) {
    const { tokenCallsPerSecond, deviceMessagesPerSecond, unknownCallsPerMinute } = settings;
    const perSecond = (rate: number) => ({ burst: rate * BURST_SECONDS, perSecond: rate });
    this.tokens = new TokenBuckets(clock, perSecond(tokenCallsPerSecond));
    this.devices = new TokenBuckets(clock, perSecond(deviceMessagesPerSecond));
    this.bulk = new TokenBuckets(clock, perSecond(deviceMessagesPerSecond));
    this.addresses = new TokenBuckets(clock, { burst: unknownCallsPerMinute, perSecond: unknownCallsPerMinute / 60 });
  }

  /** How many calls are at work. */
  get callsAtWork(): number {
    return this.atWork;
  }

  /** Refuses a call before anything is read of it, while too many are at work. Errors: SERVER_BUSY. */
  assertRoom(methodPath: string): void {
    if (this.atWork < this.settings.callsAtOnce || NEVER_COUNTED.has(methodPath)) return;
    const { wait, retryAfterSeconds } = waitFields(BUSY_MS);
    throw new CurfewError('SERVER_BUSY', { wait, retryAfterSeconds });
  }

  /** Begins the work on a call; the returned function ends it. Errors: SERVER_BUSY. */
  begin(methodPath: string): () => void {
    this.assertRoom(methodPath);
    // What is never refused does not keep others out either.
    if (NEVER_COUNTED.has(methodPath)) return () => undefined;
    this.atWork += 1;
    return () => {
      this.atWork -= 1;
    };
  }

  /** Before a call whose caller is known. Errors: TOO_MANY_CALLS. */
  known(identity: Identity, methodPath: string): void {
    if (NEVER_COUNTED.has(methodPath)) return;
    if (identity.kind === 'user') refuse('calls with this token', this.tokens.take(identity.caller.tokenId));
    if (identity.kind !== 'device') return;
    const bucket = BULK.has(methodPath) ? this.bulk : this.devices;
    refuse('calls of this device', bucket.take(identity.device.id));
  }

  /** Before a call that anybody may make, of the given peer. Errors: TOO_MANY_CALLS. */
  anybody(peer: string): void {
    refuse('calls from this address', this.addresses.wait(addressOf(peer)));
  }

  /** Counts a call of nobody in particular. Errors: TOO_MANY_CALLS. */
  countAnybody(peer: string): void {
    refuse('calls from this address', this.addresses.take(addressOf(peer)));
  }

  /** After a call that failed: gives the error to answer with, which tells a guesser nothing once there were too many. */
  failed(peer: string, error: unknown): unknown {
    if (!(error instanceof CurfewError) || !GUESSES.has(error.code)) return error;
    const wait = this.addresses.take(addressOf(peer));
    return wait === 0 ? error : tooMany('calls from this address', wait);
  }

  /** After how many milliseconds a device's next message may be taken in. */
  messageWait(deviceId: string): number {
    return this.devices.take(deviceId);
  }

  /** Opens a watch; the returned function closes it. Errors: TOO_MANY_CALLS. */
  watch(identity: Identity): () => void {
    if (identity.kind === 'open') return () => undefined;
    const isDevice = identity.kind === 'device';
    const key = isDevice ? identity.device.id : identity.caller.tokenId;
    const open = this.watches.get(key) ?? 0;
    if (open >= this.settings.watchesPerToken) {
      const what = isDevice ? 'open streams of this device' : 'open streams with this token';
      throw new CurfewError('TOO_MANY_CALLS', { what, wait: 'a while' });
    }
    this.watches.set(key, open + 1);
    return () => {
      const left = (this.watches.get(key) ?? 1) - 1;
      if (left > 0) this.watches.set(key, left);
      else this.watches.delete(key);
    };
  }
}

function refuse(what: string, waitMs: number): void {
  if (waitMs > 0) throw tooMany(what, waitMs);
}

const tooMany = (what: string, waitMs: number): CurfewError =>
  new CurfewError('TOO_MANY_CALLS', { what, ...waitFields(waitMs) });

/** How long to wait, in words and as a number: in whole seconds, and enough of them. */
const waitFields = (waitMs: number) => ({
  wait: formatDuration(waitMs + 999),
  retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1_000)),
});

/** Whom a peer counts as: an IPv4 address, or the network of /64 that one holder of IPv6 addresses has at least. */
export function addressOf(peer: string): string {
  const address = peer.replace(/:\d+$/, '').replace(/^::ffff:(?=\d+\.)/, '');
  if (!isIPv6(address)) return address;
  const [head = [], tail] = address.split('::').map((half) => half.split(':').filter(Boolean));
  const groups = [
    ...head,
    ...(tail === undefined ? [] : Array.from({ length: 8 - head.length - tail.length }, () => '0')),
  ];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
