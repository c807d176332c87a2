import {
  CancelAccessRequestResponse,
  CreateAccessRequestResponse,
  StartSessionResponse,
  type Account,
  type CancelAccessRequestRequest,
  type ConnectRequest,
  type ConnectResponse,
  type CreateAccessRequestRequest,
  type DeviceReport,
  type StartSessionRequest,
  DeviceFacts,
} from '@curfew/proto';
import { CurfewError, durationMs, hasUnsafeText, type Logger } from '@curfew/shared';
import type { AuditLog } from '../audit/audit-log.js';
import type { DeviceFactsRecord, DeviceReportRecord } from '../devices/device-report.js';
import type { Devices } from '../devices/devices.js';
import type { DeviceRow } from '../devices/find-device.js';
import type { Requests } from '../requests/requests.js';
import type { Identity } from '../rpc/authenticate.js';
import type { CallLimits } from '../rpc/call-limits.js';
import { msFromDuration } from '../rpc/proto-values.js';
import { optionsFromProto } from '../rpc/grant-options.js';
import { requestToProto, sessionToProto } from '../rpc/records-to-proto.js';
import type { DuplexLink } from '../rpc/service-host.js';
import type { AccountIdentity } from '../sessions/session-record.js';
import type { Sessions } from '../sessions/sessions.js';
import type { UseCaseContext } from '../use-case-context.js';
import type { DeviceLink, LinkHub } from './link-hub.js';

export interface LinkServiceParts {
  readonly context: UseCaseContext;
  readonly hub: LinkHub;
  readonly auditLog: AuditLog;
  readonly devices: Devices;
  readonly requests: Requests;
  readonly sessions: Sessions;
  readonly limits: CallLimits;
  readonly logger: Logger;
}

/** How many messages may wait for a device that does not read them. States are whole: more would tell it nothing new. */
const MOST_UNREAD = 256;

/** What agents call. Every caller is a device and speaks for itself only. */
export function linkHandlers(parts: LinkServiceParts) {
  const { context, hub, requests, sessions } = parts;
  return {
    connect: (link: DuplexLink<ConnectRequest, ConnectResponse>) => {
      new LinkConversation(parts, link);
    },
    createAccessRequest: async (request: CreateAccessRequestRequest, identity: Identity) => {
      const { duration } = request;
      if (duration === undefined) throw new CurfewError('FIELD_INVALID', { field: 'duration', problem: 'is required' });
      const created = await requests.create(deviceOf(identity), {
        account: accountFromProto(request.account),
        durationMs: msFromDuration(duration),
        reason: request.reason,
        options: optionsFromProto(request.options, context.settings.passwordRequired),
        ticket: request.ticket,
        breakGlass: request.breakGlass,
      });
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
  };
}

function deviceOf(identity: Identity): DeviceRow {
  if (identity.kind !== 'device') throw new CurfewError('DEVICE_CERTIFICATE_REQUIRED');
  return identity.device;
}

/** Errors: ACCOUNT_INELIGIBLE, FIELD_INVALID. Root and unknown accounts are never elevated, whatever an agent says. */
function accountFromProto(account: Account | undefined): AccountIdentity {
  if (account?.uid === undefined)
    throw new CurfewError('FIELD_INVALID', { field: 'account.uid', problem: 'is required' });
  if (account.fingerprint === '')
    throw new CurfewError('FIELD_INVALID', { field: 'account.fingerprint', problem: 'is required' });
  if (account.uid === 0 || account.uid >= 2 ** 31)
    throw new CurfewError('ACCOUNT_INELIGIBLE', { account: account.name, why: `uid ${account.uid} is not a person's` });
  if (hasUnsafeText(account.name))
    throw new CurfewError('ACCOUNT_INELIGIBLE', {
      account: account.name,
      why: 'its name holds characters that nobody can see',
    });
  return { name: account.name, uid: account.uid, fingerprint: account.fingerprint };
}

/** One stream of one agent: a hello, then whole states. Messages are taken in one after the other. */
class LinkConversation {
  private link: DeviceLink | undefined;
  private work: Promise<void> = Promise.resolve();
  private closed = false;

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
    const { hub, devices } = this.parts;
    if (message?.$case === 'observed') await hub.observed(this.link, message.value);
    else if (message?.$case === 'report') await devices.report(this.link.device.id, reportFromProto(message.value));
    else if (message?.$case === 'verdict' && !message.value.accepted)
      await devices.checkpointRefused(this.link.device.id, message.value.detail);
  }

  private async hello(
    hello: Extract<NonNullable<ConnectRequest['message']>, { $case: 'hello' }>['value'],
  ): Promise<void> {
    const device = deviceOf(this.stream.identity);
    const helloAt = this.parts.context.clock.bootTime();
    const { devices, auditLog } = this.parts;
    await devices.hello(device.id, {
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
    await this.parts.hub.join(this.link, {
      checkpoint: hello.checkpoint?.note ?? '',
      leaseKeysVersion: Number(hello.leaseKeySetVersion),
    });
    this.parts.logger.info('agent linked', { deviceId: device.id, device: device.name });
  }

  private end(error: unknown): void {
    if (this.closed) return;
    this.closed = true;
    this.stream.fail(error);
    void this.gone();
  }

  private async gone(): Promise<void> {
    this.closed = true;
    if (this.link === undefined) return;
    const { link } = this;
    this.link = undefined;
    await this.parts.hub.leave(link).catch((error: unknown) => {
      this.parts.logger.error('link end not recorded', { error });
    });
  }
}

function reportFromProto(report: DeviceReport): DeviceReportRecord {
  return {
    ...(report.facts === undefined ? {} : { facts: factsFromProto(report.facts) }),
    accounts: report.accounts.flatMap((account) =>
      account.uid === undefined
        ? []
        : [
            {
              name: account.name,
              uid: account.uid,
              fingerprint: account.fingerprint,
              standingAdmin: account.standingAdmin,
              ineligibleReason: account.ineligibleReason,
            },
          ],
    ),
    findings: report.findings,
    leaseRefusals: report.leaseRefusals,
  };
}

/** Facts are kept as proto-JSON: they are shown, never acted on. */
export const factsFromProto = (facts: DeviceFacts): DeviceFactsRecord => DeviceFacts.toJSON(facts) as DeviceFactsRecord;
