import {
  CancelMyRequestResponse,
  CreateMyRequestResponse,
  EndMySessionResponse,
  ListMyTargetsResponse,
  StartMySessionResponse,
  WatchMyAccessResponse,
  type CancelMyRequestRequest,
  type CreateMyRequestRequest,
  type EndMySessionRequest,
  type ListMyTargetsRequest,
  type StartMySessionRequest,
  type WatchMyAccessRequest,
} from '@curfew/proto';
import { CurfewError } from '@curfew/shared';
import type { AccessTarget, MyAccess } from '../../access/my-access.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { LinkHub } from '../../link/link-hub.js';
import type { RequestRecord } from '../../requests/request-record.js';
import type { SessionRecord } from '../../sessions/session-record.js';
import type { Role } from '../../users/role.js';
import type { Identity } from '../authenticate.js';
import { callerOf } from '../caller-of.js';
import { optionsFromProto } from '../grant-options.js';
import { answerToProto } from '../policy-to-proto.js';
import { msFromDuration } from '../proto-values.js';
import { accountToProto, platformToProto, requestToProto, sessionToProto } from '../records-to-proto.js';
import type { AnswerStream } from '../service-host.js';
import { watchChanges } from '../watch-changes.js';

export interface AccessHandlerParts {
  readonly access: MyAccess;
  readonly ledger: Ledger;
  readonly hub: LinkHub;
  readonly passwordRequired: boolean;
}

export function accessHandlers({ access, ledger, hub, passwordRequired }: AccessHandlerParts) {
  return {
    listMyTargets: async (_: ListMyTargetsRequest, identity: Identity) => {
      const caller = callerOf(identity);
      const targets = await access.targets(caller, optionsFromProto(undefined, passwordRequired));
      return ListMyTargetsResponse.fromPartial({
        targets: targets.map((target) => targetToProto(target, caller.role, hub)),
      });
    },
    createMyRequest: async (request: CreateMyRequestRequest, identity: Identity) => {
      const { duration } = request;
      if (duration === undefined) throw new CurfewError('FIELD_INVALID', { field: 'duration', problem: 'is required' });
      if ((request.device === '') === (request.resource === ''))
        throw new CurfewError('FIELD_INVALID', {
          field: 'device',
          problem: 'give a device or a resource, one of them',
        });
      const made = await access.request(callerOf(identity), {
        device: request.device,
        resource: request.resource,
        account: request.account,
        durationMs: msFromDuration(duration),
        reason: request.reason,
        ticket: request.ticket,
        options: optionsFromProto(request.options, passwordRequired),
        breakGlass: request.breakGlass,
      });
      return CreateMyRequestResponse.fromPartial({ request: requestToProto(made) });
    },
    cancelMyRequest: async (request: CancelMyRequestRequest, identity: Identity) =>
      CancelMyRequestResponse.fromPartial({
        request: requestToProto(await access.cancel(callerOf(identity), request.requestId)),
      }),
    startMySession: async (request: StartMySessionRequest, identity: Identity) =>
      StartMySessionResponse.fromPartial({
        session: sessionToProto(await access.start(callerOf(identity), request.requestId), hub.isLinked),
      }),
    endMySession: async (request: EndMySessionRequest, identity: Identity) =>
      EndMySessionResponse.fromPartial({
        session: sessionToProto(await access.end(callerOf(identity), request.sessionId), hub.isLinked),
      }),
    watchMyAccess: (_: WatchMyAccessRequest, identity: Identity, stream: AnswerStream<WatchMyAccessResponse>) => {
      const caller = callerOf(identity);
      const shown = new Map<string, { readonly deviceId: string; readonly linked: boolean }>();
      const send = async (found: { requests: RequestRecord[]; sessions: SessionRecord[] }): Promise<void> => {
        for (const request of found.requests)
          await stream.send(WatchMyAccessResponse.fromPartial({ request: requestToProto(request) }));
        for (const session of found.sessions) {
          if (session.state === 'ended') shown.delete(session.id);
          else shown.set(session.id, { deviceId: session.device_id, linked: hub.isLinked(session.device_id) });
          await stream.send(WatchMyAccessResponse.fromPartial({ session: sessionToProto(session, hub.isLinked) }));
        }
      };
      /** Sessions that are shown with another link state than their device has now. */
      const shownWrongly = (): string[] =>
        [...shown].filter(([, { deviceId, linked }]) => hub.isLinked(deviceId) !== linked).map(([id]) => id);
      return watchChanges(ledger, ['request', 'session', 'device'], stream.signal, {
        first: async () => {
          await send(await access.history(caller));
          await stream.send(WatchMyAccessResponse.fromPartial({ synced: true }));
        },
        changed: async (ids) => {
          const own = [...new Set([...ids.filter((id) => !id.startsWith('dev-')), ...shownWrongly()])];
          if (own.length > 0) await send(await access.history(caller, own));
        },
      });
    },
  };
}

function targetToProto(target: AccessTarget, role: Role, hub: LinkHub) {
  const answer = answerToProto(target.answer, role);
  if ('resource' in target) {
    const { id, name, description } = target.resource;
    return { resourceId: id, resourceName: name, resourceDescription: description, answer };
  }
  const { device, account } = target;
  return {
    deviceId: device.id,
    deviceName: device.name,
    account: accountToProto({
      name: account.name,
      uid: account.uid,
      sid: account.sid,
      fingerprint: account.fingerprint,
    }),
    deviceOnline: hub.isLinked(device.id),
    platform: platformToProto(device.platform),
    answer,
  };
}
