import {
  CancelRequestResponse,
  EndEverySessionResponse,
  EndResponse,
  GetAgentStatusResponse,
  GetStatusResponse,
  ListOffersResponse,
  RequestAccessResponse,
  StartResponse,
  WatchStatusResponse,
  type CancelAccessRequestResponse,
  type CancelRequestRequest,
  type CreateAccessRequestResponse,
  type EndRequest,
  type EndResourceSessionResponse,
  type GetStatusRequest,
  type ListResourceOffersResponse,
  type RequestAccessRequest,
  type StartRequest,
  type StartSessionResponse,
  type WatchStatusRequest,
} from '@curfew/proto';
import { CurfewError, durationMs, idPrefix, openCheckpoint, SECOND, type Clock } from '@curfew/shared';
import { X509Certificate } from 'node:crypto';
import type { Holder } from '../grants/holder.js';
import { accountToProto } from '../link/device-report.js';
import type { DeviceWatch } from '../link/device-watch.js';
import type { ServerLink } from '../link/server-link.js';
import { isSystem, keyOf, keyText, type Caller } from '../ports/account-key.js';
import type { AccountDirectory, LocalAccount } from '../ports/account-directory.js';
import { endedSession, liveSession, localStatus } from './local-status.js';
import { ResourceWatch } from './resource-watch.js';

export interface LocalServiceParts {
  readonly holder: Holder;
  readonly link: ServerLink;
  readonly accounts: AccountDirectory;
  readonly clock: Clock;
  readonly watch: Pick<DeviceWatch, 'findings' | 'deviceFacts'>;
}

/** How long a start waits for the right to appear. */
const START_TIMEOUT = durationMs(20 * SECOND);

/** How long the server may take to take note of ends before whoever ended them is answered. */
const TELLING_TIMEOUT = durationMs(5 * SECOND);

/** How long the server may take to say what is of resources before a status comes without. */
const STANDING_TIMEOUT = durationMs(3 * SECOND);

/** What people on the device can do. Who calls is the operating system's word, never the caller's. */
export class LocalService {
  constructor(private readonly parts: LocalServiceParts) {}

  async requestAccess(request: RequestAccessRequest, caller: Caller): Promise<RequestAccessResponse> {
    const account = accountToProto(await this.eligible(caller));
    const asked = { account, ...request };
    const { request: made } = await this.parts.link.call<typeof asked, CreateAccessRequestResponse>(
      (client) => client.createAccessRequest.bind(client),
      asked,
    );
    return RequestAccessResponse.fromPartial({ request: made });
  }

  async cancelRequest(request: CancelRequestRequest, caller: Caller): Promise<CancelRequestResponse> {
    const asked = { account: accountToProto(await this.eligible(caller)), requestId: request.requestId };
    const { request: cancelled } = await this.parts.link.call<typeof asked, CancelAccessRequestResponse>(
      (client) => client.cancelAccessRequest.bind(client),
      asked,
    );
    return CancelRequestResponse.fromPartial({ request: cancelled });
  }

  /** Starts, and answers once the right is there. Errors: SESSION_REFUSED, WAIT_TIMED_OUT, and those of the server. */
  async start(request: StartRequest, caller: Caller): Promise<StartResponse> {
    const { holder, link, clock } = this.parts;
    const asked = { account: accountToProto(await this.eligible(caller)), requestId: request.requestId };
    const { session } = await link.call<typeof asked, StartSessionResponse>(
      (client) => client.startSession.bind(client),
      asked,
    );
    const id = session?.id ?? '';
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        const grant = holder.snapshot.grants.find(({ sessionId, phase }) => sessionId === id && phase === 'held');
        const ended = holder.snapshot.ended.find(({ sessionId }) => sessionId === id) ?? holder.recentEnds.get(id);
        if (grant === undefined && ended === undefined) return;
        stop();
        if (grant !== undefined) resolve(StartResponse.fromPartial({ session: liveSession(grant, clock) }));
        else
          reject(
            new CurfewError('SESSION_REFUSED', {
              detail: [ended?.code, ended?.detail].filter(Boolean).join(': ') || (ended?.reason ?? ''),
            }),
          );
      };
      const cancelTimer = clock.after(START_TIMEOUT, () => {
        stop();
        reject(new CurfewError('WAIT_TIMED_OUT', { what: `the session ${id} to start` }));
      });
      const unsubscribe = holder.onChange(settle);
      const stop = (): void => {
        cancelTimer();
        unsubscribe();
      };
      settle();
    });
  }

  /** What the caller may ask for of resources. Errors: SERVER_UNREACHABLE, and those of the server. */
  async listOffers(caller: Caller): Promise<ListOffersResponse> {
    const asked = { account: accountToProto(await this.eligible(caller)) };
    const { offers, asOfTime } = await this.parts.link.call<typeof asked, ListResourceOffersResponse>(
      (client) => client.listResourceOffers.bind(client),
      asked,
    );
    return ListOffersResponse.fromPartial({ offers, asOfTime });
  }

  /** Ends the caller's sessions now. Errors: SESSION_NOT_FOUND, ID_AMBIGUOUS, and those of `endOfResource`. */
  async end(request: EndRequest, caller: Caller): Promise<EndResponse> {
    const { holder } = this.parts;
    if (request.resource !== '') return this.endOfResource(request, caller);
    const prefix = idPrefix('session', request.sessionId);
    const matches = (id: string): boolean => request.sessionId === '' || id.startsWith(prefix);
    const fitting = holder.snapshot.grants.filter(
      (grant) => keyOf(grant.account) === caller.key && matches(grant.sessionId),
    );
    // What this device does not hold can only be of a resource, and root has none.
    if (fitting.length === 0 && request.sessionId !== '' && !isSystem(caller))
      return this.endOfResource(request, caller);
    if (fitting.length === 0 && request.sessionId !== '')
      throw new CurfewError('SESSION_NOT_FOUND', { given: request.sessionId });
    if (fitting.length > 1 && request.sessionId !== '')
      throw new CurfewError('ID_AMBIGUOUS', { given: request.sessionId, count: fitting.length, what: 'sessions' });
    const ids = await holder.endByUser(caller.key, matches);
    const ended = holder.snapshot.ended.filter(({ sessionId }) => ids.includes(sessionId));
    return EndResponse.fromPartial({ sessions: ended.map(endedSession) });
  }

  async getStatus({ resources }: GetStatusRequest, caller: Caller): Promise<GetStatusResponse> {
    const account = await this.account(caller);
    const watch = new ResourceWatch(this.parts.link, this.parts.clock, account);
    if (resources) await watch.once(STANDING_TIMEOUT);
    return GetStatusResponse.fromPartial({ status: localStatus(account, this.parts, watch.standing) });
  }

  /** Sends the status now and after changes, until the signal; to a slow reader fewer, always the newest. */
  async watchStatus(
    { resources }: WatchStatusRequest,
    caller: Caller,
    send: (response: WatchStatusResponse) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const { holder, link, clock } = this.parts;
    const account = await this.account(caller);
    const watch = new ResourceWatch(link, clock, account);
    let [changed, wake] = [true, (): void => undefined];
    let problem: Error | undefined;
    const tell = (): void => {
      changed = true;
      wake();
    };
    const stops = [holder.onChange(tell), link.onChange(tell)];
    signal.addEventListener('abort', tell);
    if (resources)
      watch.run(signal, tell).catch((error: unknown) => {
        problem = error instanceof Error ? error : new Error(String(error));
        tell();
      });
    try {
      while (!signal.aborted) {
        if (problem !== undefined) throw problem;
        if (changed) {
          changed = false;
          await send(WatchStatusResponse.fromPartial({ status: localStatus(account, this.parts, watch.standing) }));
        } else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    } finally {
      for (const stop of stops) stop();
    }
  }

  /** Ends every session, and waits a while for the server to take note. Errors: METHOD_NOT_ALLOWED. */
  async endEverySession(caller: Caller): Promise<EndEverySessionResponse> {
    assertAdministrator(caller, 'EndEverySession');
    const { holder, link } = this.parts;
    const ids = new Set(holder.snapshot.grants.map(({ sessionId }) => sessionId));
    await holder.endAll('ended_by_user', '', 'every session of the device was ended on the device');
    const ends = [...ids].flatMap((id) => holder.recentEnds.get(id) ?? []);
    const serverTold = await link.untilTold(ids, TELLING_TIMEOUT);
    return EndEverySessionResponse.fromPartial({ sessions: ends.map(endedSession), serverTold });
  }

  /** Errors: METHOD_NOT_ALLOWED for everybody but root. */
  getAgentStatus(caller: Caller): GetAgentStatusResponse {
    assertAdministrator(caller, 'GetAgentStatus');
    const { holder, link, clock, watch } = this.parts;
    const { snapshot } = holder;
    const { device } = link;
    return GetAgentStatusResponse.fromPartial({
      deviceId: device.deviceId,
      deviceName: device.deviceName,
      serverAddress: device.serverAddress,
      serverLinked: link.linked,
      linkDownSinceTime: link.downSince === undefined ? undefined : new Date(link.downSince),
      generation: BigInt(snapshot.floorGeneration),
      incarnation: BigInt(snapshot.incarnation),
      floorEpoch: BigInt(snapshot.floorEpoch),
      sessions: snapshot.grants.map((grant) => liveSession(grant, clock)),
      findings: [...watch.findings],
      facts: watch.deviceFacts,
      certificateExpireTime: new Date(new X509Certificate(device.certificate).validTo),
      checkpointSize: BigInt(openCheckpoint(snapshot.checkpoint, device.auditKey)?.size ?? 0),
    });
  }

  /** Ends a session that only the server knows. Errors: SERVER_UNREACHABLE, and those of the server. */
  private async endOfResource({ sessionId, resource }: EndRequest, caller: Caller): Promise<EndResponse> {
    const asked = { account: accountToProto(await this.account(caller)), sessionId, resource };
    const { session } = await this.parts.link.call<typeof asked, EndResourceSessionResponse>(
      (client) => client.endResourceSession.bind(client),
      asked,
    );
    return EndResponse.fromPartial({ resourceSession: session });
  }

  private async account({ key }: Caller): Promise<LocalAccount> {
    const account = await this.parts.accounts.byKey(key);
    if (account === undefined)
      throw new CurfewError('ACCOUNT_INELIGIBLE', { account: keyText(key), why: 'this machine does not know it' });
    return account;
  }

  private async eligible(caller: Caller): Promise<LocalAccount> {
    const account = await this.account(caller);
    if (account.ineligibleReason !== '')
      throw new CurfewError('ACCOUNT_INELIGIBLE', { account: account.name, why: account.ineligibleReason });
    return account;
  }
}

function assertAdministrator({ key, isAdministrator }: Caller, method: string): void {
  if (!isAdministrator) throw new CurfewError('METHOD_NOT_ALLOWED', { role: keyText(key), method, needed: 'root' });
}
