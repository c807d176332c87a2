import {
  AppendRecordingResponse,
  CancelAccessRequestResponse,
  ConnectResponse,
  CreateAccessRequestResponse,
  FetchReleaseResponse,
  ReportProcessesResponse,
  StartSessionResponse,
  type AppendRecordingRequest,
  type CancelAccessRequestRequest,
  type ConnectRequest,
  type CreateAccessRequestRequest,
  type DeviceReport,
  type FetchReleaseRequest,
  type ReportProcessesRequest,
  type SessionChanges as ChangesMessage,
  type StartSessionRequest,
  type UpdateStatus,
  DeviceFacts,
  UpdateState,
} from '@curfew/proto';
import { CurfewError, durationMs, type ErrorCode, type Logger } from '@curfew/shared';
import type { DeviceResources } from '../access/device-resources.js';
import type { AuditLog } from '../audit/audit-log.js';
import type { DeviceFactsRecord, DeviceReportRecord } from '../devices/device-report.js';
import type { Devices } from '../devices/devices.js';
import type { Recordings } from '../recordings/recordings.js';
import type { UpdateRecord } from '../releases/keep-update.js';
import type { Releases } from '../releases/releases.js';
import type { Requests } from '../requests/requests.js';
import type { Identity } from '../rpc/authenticate.js';
import type { CallLimits } from '../rpc/call-limits.js';
import { msFromDuration } from '../rpc/proto-values.js';
import { optionsFromProto } from '../rpc/grant-options.js';
import { eventProblem, headFromProto } from '../rpc/recording-to-proto.js';
import { requestToProto, sessionToProto } from '../rpc/records-to-proto.js';
import type { DuplexLink } from '../rpc/service-host.js';
import type { SessionChanges } from '../sessions/session-changes.js';
import { changesFromProto } from '../sessions/changes-from-proto.js';
import type { Sessions } from '../sessions/sessions.js';
import type { UseCaseContext } from '../use-case-context.js';
import { accountFromProto, deviceOf, numberOf } from './device-caller.js';
import type { DeviceLink } from './device-link.js';
import type { LinkHub } from './link-hub.js';
import { deviceResourceHandlers } from './device-resource-handlers.js';

export interface LinkServiceParts {
  readonly context: UseCaseContext;
  readonly hub: LinkHub;
  readonly auditLog: AuditLog;
  readonly devices: Devices;
  readonly requests: Requests;
  readonly resources: DeviceResources;
  readonly sessions: Sessions;
  readonly changes: SessionChanges;
  readonly recordings: Recordings;
  readonly releases: Pick<Releases, 'fetch'>;
  readonly limits: CallLimits;
  readonly logger: Logger;
}

/** How many messages may wait for a device that does not read them. States are whole: more would tell it nothing new. */
const MOST_UNREAD = 256;

/** What agents call. Every caller is a device and speaks for itself only. */
export function linkHandlers(parts: LinkServiceParts) {
  const { context, hub, requests, resources, sessions, recordings } = parts;
  return {
    connect: (link: DuplexLink<ConnectRequest, ConnectResponse>) => {
      new LinkConversation(parts, link);
    },
    createAccessRequest: async (request: CreateAccessRequestRequest, identity: Identity) => {
      const { duration } = request;
      if (duration === undefined) throw new CurfewError('FIELD_INVALID', { field: 'duration', problem: 'is required' });
      const { reason, ticket, breakGlass, resource, resourceAccount } = request;
      const person = { device: deviceOf(identity), account: accountFromProto(request.account) };
      const asked = { durationMs: msFromDuration(duration), reason, ticket, breakGlass };
      if (resource !== '' && request.options !== undefined)
        throw new CurfewError('FIELD_INVALID', { field: 'options', problem: 'a resource has none' });
      const options = optionsFromProto(request.options, context.settings.passwordRequired);
      const created =
        resource === ''
          ? await requests.create(person.device, { ...asked, account: person.account, options })
          : await resources.request(person, { ...asked, resource, resourceAccount });
      return CreateAccessRequestResponse.fromPartial({ request: requestToProto(created) });
    },
    cancelAccessRequest: async (request: CancelAccessRequestRequest, identity: Identity) => {
      const cancelled = await requests.cancel(deviceOf(identity), accountFromProto(request.account), request.requestId);
      return CancelAccessRequestResponse.fromPartial({ request: requestToProto(cancelled) });
    },
    startSession: async (request: StartSessionRequest, identity: Identity) => {
      const session = await sessions.start(deviceOf(identity), accountFromProto(request.account), request.requestId);
      return StartSessionResponse.fromPartial({ session: sessionToProto(session, hub.isLinked) });
    },
    ...deviceResourceHandlers({ resources, ledger: context.ledger, linked: hub.isLinked }),
    reportProcesses: async ({ sessionId, outcome }: ReportProcessesRequest, identity: Identity) => {
      if (outcome === undefined) throw new CurfewError('FIELD_INVALID', { field: 'outcome', problem: 'is required' });
      await sessions.noteProcesses(deviceOf(identity), sessionId, outcome);
      return ReportProcessesResponse.fromPartial({});
    },
    appendRecording: async (request: AppendRecordingRequest, identity: Identity) => {
      const [head, offset, totalSize] = [
        headFromProto(request.recording),
        Number(request.offset),
        Number(request.totalSize),
      ];
      const sent = { head, offset, totalSize, bytes: request.events, problemOf: eventProblem };
      const size = await recordings.append(deviceOf(identity), sent);
      context.measures?.recordingTaken(request.events.length);
      return AppendRecordingResponse.fromPartial({ size: BigInt(size) });
    },
    fetchRelease: async ({ sha256, offset, maxSize }: FetchReleaseRequest, identity: Identity) => {
      deviceOf(identity);
      return FetchReleaseResponse.fromPartial({ piece: await parts.releases.fetch(sha256, Number(offset), maxSize) });
    },
  };
}

/** One stream of one agent: a hello, then whole states. Messages are taken in one after the other, but see `beside`. */
class LinkConversation {
  private link: DeviceLink | undefined;
  private work: Promise<void> = Promise.resolve();
  private besides: Promise<void> = Promise.resolve();
  private closed = false;
  /** Why it was ended from here; 'GONE' when it was not. */
  private endCode: ErrorCode | 'GONE' = 'GONE';

  constructor(
    private readonly parts: LinkServiceParts,
    private readonly stream: DuplexLink<ConnectRequest, ConnectResponse>,
  ) {
    const { call } = stream;
    call.on('data', (bytes: Buffer) => {
      // One message at a time: the next is not even read before this one is done, and the device's turn has come.
      call.pause();
      this.work = this.work
        .then(() => this.take(bytes))
        .catch((error: unknown) => {
          this.end(error);
        })
        .finally(() => {
          this.readNext();
        });
    });
    for (const event of ['end', 'cancelled', 'error', 'close'] as const)
      call.on(event, () => {
        this.work = this.work.then(() => this.gone());
      });
  }

  private readNext(): void {
    const { limits, context } = this.parts;
    const wait = limits.messageWait(deviceOf(this.stream.identity).id);
    if (wait === 0) this.stream.call.resume();
    else context.clock.after(durationMs(wait), () => this.stream.call.resume());
  }

  private async take(bytes: Buffer): Promise<void> {
    if (this.closed) return;
    const { message } = this.stream.decode(bytes);
    if (this.link === undefined) {
      if (message?.$case !== 'hello') throw new CurfewError('HELLO_EXPECTED');
      await this.hello(message.value);
      return;
    }
    const { link } = this;
    const { hub, devices, auditLog } = this.parts;
    // Of the installation before, only what it gives up is of interest.
    if (link.isFormer === true && message?.$case !== 'observed') return;
    if (message?.$case === 'observed') await hub.observed(link, message.value);
    else if (message?.$case === 'report')
      await this.beside(() => devices.report(link.device.id, reportFromProto(message.value)));
    else if (message?.$case === 'verdict' && !message.value.accepted)
      await this.beside(async () => {
        const { detail, kept } = message.value;
        await devices.serverRefused(link.device.id, detail, await auditLog.isContradictedBy(kept?.note ?? ''));
      });
    else if (message?.$case === 'changes') await this.beside(() => this.keepChanges(link, message.value));
  }

  /** The next message is taken in while this goes on, unless it is such a one too: a revoke's answer does not wait for a report. */
  private async beside(work: () => Promise<void>): Promise<void> {
    await this.besides;
    this.besides = work().catch((error: unknown) => {
      this.end(error);
    });
  }

  private async keepChanges(link: DeviceLink, told: ChangesMessage): Promise<void> {
    await this.parts.changes.keep(link.device, changesFromProto(told));
    const { sessionId, final } = told;
    if (final) link.send(ConnectResponse.fromPartial({ message: { $case: 'changesKept', value: { sessionId } } }));
  }

  private async hello(
    hello: Extract<NonNullable<ConnectRequest['message']>, { $case: 'hello' }>['value'],
  ): Promise<void> {
    const device = deviceOf(this.stream.identity);
    const helloAt = this.parts.context.clock.bootTime();
    const { devices, auditLog } = this.parts;
    const isAhead = await devices.hello(device, {
      incarnation: Number(hello.incarnation),
      floorGeneration: Number(hello.floorGeneration),
      floorEpoch: Number(hello.floorEpoch),
      forgotten: await auditLog.hasForgotten(hello.desiredCheckpoint?.note ?? ''),
    });
    const { call } = this.stream;
    this.link = {
      device,
      instance: hello.instance,
      nonce: hello.nonce,
      helloAt,
      isAhead,
      leases: new Map(),
      send: (response) => {
        if (this.closed) return;
        if (call.writableLength < MOST_UNREAD) call.write(response);
        else this.end(new CurfewError('TOO_MANY_CALLS', { what: 'messages that nobody reads', wait: 'a while' }));
      },
      close: (error) => {
        this.end(error);
      },
    };
    this.parts.context.measures?.linkOpened();
    await this.parts.hub.join(this.link, {
      checkpoint: hello.checkpoint?.note ?? '',
      leaseKeysVersion: Number(hello.leaseKeySetVersion),
    });
    this.stream.settled();
    // Only now: whoever is told looks whether there is a link. Nothing that the device says waits for it.
    void devices.seen(device.id).catch((error: unknown) => {
      this.end(error);
    });
    this.parts.logger.info('agent linked', { deviceId: device.id, device: device.name });
  }

  private end(error: unknown): void {
    if (this.closed) return;
    this.closed = true;
    this.endCode = error instanceof CurfewError ? error.code : 'INTERNAL';
    this.stream.fail(error);
    void this.gone();
  }

  private async gone(): Promise<void> {
    this.closed = true;
    if (this.link === undefined) return;
    const { link } = this;
    this.link = undefined;
    this.parts.context.measures?.linkClosed(this.endCode);
    await this.parts.hub.leave(link).catch((error: unknown) => {
      this.parts.logger.error('link end not recorded', { error });
    });
  }
}

function reportFromProto(report: DeviceReport): DeviceReportRecord {
  return {
    ...(report.facts === undefined ? {} : { facts: factsFromProto(report.facts) }),
    accounts: report.accounts.flatMap((account) => {
      const uid = numberOf(account);
      const { name, sid, fingerprint, standingAdmin, ineligibleReason } = account;
      return uid === undefined ? [] : [{ name, uid, sid, fingerprint, standingAdmin, ineligibleReason }];
    }),
    findings: report.findings,
    leaseRefusals: report.leaseRefusals,
    update: report.update === undefined ? undefined : updateFromProto(report.update),
  };
}

function updateFromProto({ state, version, code, detail }: UpdateStatus): UpdateRecord {
  // That a device has not been heard is nothing that it could say.
  const known = state === UpdateState.MISSING ? UpdateState.UNSPECIFIED : state;
  const name = UpdateState[known].toLowerCase() as UpdateRecord['state'];
  return { state: name, version, code, detail };
}

/** Facts are kept as proto-JSON: they are shown, never acted on. */
export const factsFromProto = (facts: DeviceFacts): DeviceFactsRecord => DeviceFacts.toJSON(facts) as DeviceFactsRecord;
