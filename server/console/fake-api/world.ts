import { durationMs, newId, type CancelTimer, type Clock, type IdKind, type Random } from '@curfew/shared/browser';
import type {
  AccessRequestJson,
  ApiTokenJson,
  AuditEventJson,
  ChannelJson,
  ConnectorJson,
  DeliveryJson,
  DeviceJson,
  JoinTokenJson,
  PolicyJson,
  PolicyVersionJson,
  RecordedEventJson,
  RecordingJson,
  ResourceJson,
  SessionChangesJson,
  SessionJson,
  SignInJson,
  UserJson,
} from '../src/gen/api.js';

/** What a person's sign-in is checked against. */
export interface Credentials {
  password: string;
  mustChange: boolean;
  /** The code that works while one-time codes are on. Empty while they are off. */
  code: string;
}

/** A command line that waits to be let in. */
export interface DeviceCode {
  readonly userCode: string;
  readonly client: string;
  readonly address: string;
  readonly createTime: string;
  readonly expireMs: number;
  decided: 'waiting' | 'approved' | 'denied';
}

/** A call of sudo, and what happened while it ran. */
export interface FakeRecording {
  readonly recording: RecordingJson;
  readonly events: readonly RecordedEventJson[];
}

/** Things that can be watched. */
export type Watched = 'session' | 'request' | 'device' | 'recording';

/** Everything that the fake API knows, in memory. Records are replaced, never changed in place. */
export class World {
  readonly users = new Map<string, UserJson>();
  readonly credentials = new Map<string, Credentials>();
  readonly signIns = new Map<string, SignInJson & { readonly userId: string }>();
  readonly deviceCodes = new Map<string, DeviceCode>();
  readonly devices = new Map<string, DeviceJson>();
  readonly connectors = new Map<string, ConnectorJson>();
  readonly resources = new Map<string, ResourceJson>();
  /** Who has a resource, as the resource itself knows it, by the resource's id. */
  readonly members = new Map<string, Set<string>>();
  /** Who had it before Curfew came, by the resource's id. */
  readonly standing = new Map<string, ReadonlySet<string>>();
  /** How the systems outside behave, by the connector's name. Those that are not named are well. */
  readonly health = new Map<string, 'well' | 'slow' | 'down'>();
  readonly joinTokens = new Map<string, JoinTokenJson>();
  readonly requests = new Map<string, AccessRequestJson>();
  readonly sessions = new Map<string, SessionJson>();
  /** What devices have found of sessions, by the session's id. */
  readonly changes = new Map<string, SessionChangesJson>();
  readonly recordings = new Map<string, FakeRecording>();
  readonly apiTokens = new Map<string, ApiTokenJson>();
  readonly channels = new Map<string, ChannelJson>();
  readonly deliveries = new Map<string, DeliveryJson>();
  readonly audit: AuditEventJson[] = [];
  policies: PolicyJson[] = [];
  readonly policyVersions = new Map<string, PolicyVersionJson[]>();
  rolledBack = false;
  revision = 1;
  readonly startTime: string;
  private readonly listeners = new Set<(kind: Watched, id: string) => void>();
  private readonly timers = new Set<CancelTimer>();

  constructor(
    readonly clock: Clock,
    readonly random: Random,
  ) {
    this.startTime = this.time();
  }

  /** A new id. */
  id(kind: IdKind): string {
    return newId(kind, this.random);
  }

  /** The time, or one that far from now, as the API writes it. */
  time(offsetMs = 0): string {
    return new Date(this.clock.now() + offsetMs).toISOString();
  }

  /** Does something later, unless the world is closed before. */
  later(ms: number, fn: () => void): void {
    const cancel = this.clock.after(durationMs(ms), () => {
      this.timers.delete(cancel);
      fn();
    });
    this.timers.add(cancel);
  }

  /** Stops everything that waits. */
  close(): void {
    for (const cancel of this.timers) cancel();
    this.timers.clear();
    this.listeners.clear();
  }

  /** Tells of each change until the returned function is called. */
  listen(listener: (kind: Watched, id: string) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  putSession(session: SessionJson): SessionJson {
    const next = { ...session, revision: String(++this.revision) };
    this.sessions.set(next.id ?? '', next);
    this.tell('session', next.id ?? '');
    return next;
  }

  putRequest(request: AccessRequestJson): AccessRequestJson {
    this.requests.set(request.id ?? '', request);
    this.tell('request', request.id ?? '');
    return request;
  }

  putDevice(device: DeviceJson): DeviceJson {
    this.devices.set(device.id ?? '', device);
    this.tell('device', device.id ?? '');
    return device;
  }

  putRecording(next: FakeRecording): FakeRecording {
    this.recordings.set(next.recording.id ?? '', next);
    this.tell('recording', next.recording.id ?? '');
    return next;
  }

  /** Writes an event to the audit log. */
  record(type: string, actor: string, subject: string, details: object = {}): void {
    const time = this.time();
    // Keys in order, as canonical JSON has them.
    const record = JSON.stringify({
      actor,
      data: details,
      index: this.audit.length,
      subject,
      time: this.clock.now(),
      type,
    });
    const bytes = btoa(Array.from(new TextEncoder().encode(record), (byte) => String.fromCharCode(byte)).join(''));
    this.audit.push({ index: String(this.audit.length), time, type, actor, subject, record: bytes });
  }

  private tell(kind: Watched, id: string): void {
    for (const listener of [...this.listeners]) listener(kind, id);
  }
}
