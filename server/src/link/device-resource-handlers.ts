import {
  EndResourceSessionResponse,
  ListResourceOffersResponse,
  WatchResourceStandingResponse,
  type EndResourceSessionRequest,
  type ListResourceOffersRequest,
  type ResourceOffer as ResourceOfferMessage,
  type WatchResourceStandingRequest,
} from '@curfew/proto';
import { CurfewError } from '@curfew/shared';
import type { DeviceResources, ResourceOffer } from '../access/device-resources.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Identity } from '../rpc/authenticate.js';
import { answerToProto } from '../rpc/policy-to-proto.js';
import { dateFromMs } from '../rpc/proto-values.js';
import { requestToProto, sessionToProto, type LinkStatus } from '../rpc/records-to-proto.js';
import type { AnswerStream } from '../rpc/service-host.js';
import { watchChanges } from '../rpc/watch-changes.js';
import { accountFromProto, deviceOf } from './device-caller.js';

export interface DeviceResourceHandlerParts {
  readonly resources: DeviceResources;
  readonly ledger: Ledger;
  readonly linked: LinkStatus;
}

/** What agents call for people who ask for resources. */
export function deviceResourceHandlers({ resources, ledger, linked }: DeviceResourceHandlerParts) {
  return {
    listResourceOffers: async (request: ListResourceOffersRequest, identity: Identity) => {
      const person = { device: deviceOf(identity), account: accountFromProto(request.account) };
      const { offers, asOfMs } = await resources.offers(person);
      return ListResourceOffersResponse.fromPartial({
        offers: offers.map((offer) => offerToProto(offer, linked)),
        asOfTime: dateFromMs(asOfMs),
      });
    },
    watchResourceStanding: (
      request: WatchResourceStandingRequest,
      identity: Identity,
      stream: AnswerStream<WatchResourceStandingResponse>,
    ) => {
      const person = { device: deviceOf(identity), account: accountFromProto(request.account) };
      let userId = '';
      const send = async (): Promise<void> => {
        const { requests, sessions, asOfMs, userId: now } = await resources.standing(person);
        userId = now;
        const standing = {
          requests: requests.map((record) => requestToProto(record)),
          sessions: sessions.map((record) => sessionToProto(record, linked)),
          asOfTime: dateFromMs(asOfMs),
        };
        await stream.send(WatchResourceStandingResponse.fromPartial({ standing }));
      };
      return watchChanges(ledger, ['request', 'session', 'user', 'device'], stream.signal, {
        first: send,
        missed: send,
        changed: async (ids) => {
          if (await resources.concerns(userId, ids, person.device.id)) await send();
        },
      });
    },
    endResourceSession: async (request: EndResourceSessionRequest, identity: Identity) => {
      const { sessionId, resource } = request;
      if ((sessionId === '') === (resource === ''))
        throw new CurfewError('FIELD_INVALID', {
          field: 'session_id',
          problem: 'give a session or a resource, one of them',
        });
      const person = { device: deviceOf(identity), account: accountFromProto(request.account) };
      const ended = await resources.end(person, { sessionId, resource });
      return EndResourceSessionResponse.fromPartial({ session: sessionToProto(ended, linked) });
    },
  };
}

/** Which policies there are besides the one that answers is nothing that a device need know. */
function offerToProto(
  { resource, answer, request, session }: ResourceOffer,
  linked: LinkStatus,
): Partial<ResourceOfferMessage> {
  return {
    resourceId: resource.id,
    resourceName: resource.name,
    description: resource.description,
    answer: { ...answerToProto(answer, 'user'), checks: [] },
    request: request === undefined ? undefined : requestToProto(request),
    session: session === undefined ? undefined : sessionToProto(session, linked),
  };
}
