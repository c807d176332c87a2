import {
  AcceptDriftResponse,
  CompareResourceResponse,
  Connector,
  ConnectorKind,
  DeleteConnectorResponse,
  DeleteResourceResponse,
  DriftKind,
  GiveDriftAgainResponse,
  ListConnectorKindsResponse,
  ListConnectorsResponse,
  ListResourcesResponse,
  PutConnectorResponse,
  PutResourceResponse,
  Resource,
  TakeDriftAwayResponse,
  TryResourceResponse,
  type AcceptDriftRequest,
  type CompareResourceRequest,
  type DeleteConnectorRequest,
  type DeleteResourceRequest,
  type GiveDriftAgainRequest,
  type ListConnectorKindsRequest,
  type ListConnectorsRequest,
  type ListResourcesRequest,
  type PutConnectorRequest,
  type PutResourceRequest,
  type TakeDriftAwayRequest,
  type TryResourceRequest,
} from '@curfew/proto';
import { CurfewError } from '@curfew/shared';
import type { ConnectorField as FieldRecord } from '../../connectors/connector-kind.js';
import type { ConnectorRecord } from '../../resources/connector-record.js';
import { DEVICE_GROUP } from '../../resources/find-resource.js';
import type { ResourceRecord } from '../../resources/resource-record.js';
import { DEVICE_GROUP_TARGET, type ResourceWish } from '../../resources/resources.js';
import { isOpenCircuit } from '../../timed-access/circuits.js';
import type { OpenTimedAccess } from '../../timed-access/open-timed-access.js';
import type { Settlement } from '../../timed-access/settle-drift.js';
import type { Identity } from '../authenticate.js';
import { callerOf } from '../caller-of.js';
import { dateFromMs, durationFromMs } from '../proto-values.js';
import { sessionToProto, type LinkStatus } from '../records-to-proto.js';

/** How much of what a resource says is shown. */
const MOST_ERROR = 1_000;

export function resourceHandlers({ kinds, connectors, resources, work }: OpenTimedAccess, isLinked: LinkStatus) {
  return {
    listConnectorKinds: async (_: ListConnectorKindsRequest) => {
      const own = kinds.map(({ kind, title, settings, target }) => kindToProto(kind, title, settings, target));
      const group = kindToProto(DEVICE_GROUP, "Device's local group", [], DEVICE_GROUP_TARGET);
      const all = [...own, group].sort((a, b) => a.title.localeCompare(b.title));
      return Promise.resolve(ListConnectorKindsResponse.fromPartial({ kinds: all }));
    },
    listConnectors: async (_: ListConnectorsRequest) =>
      ListConnectorsResponse.fromPartial({ connectors: (await connectors.list()).map(connectorToProto) }),
    putConnector: async (request: PutConnectorRequest, identity: Identity) => {
      const { connector, secrets } = request;
      if (connector === undefined)
        throw new CurfewError('CONNECTOR_INVALID', { field: 'connector', problem: 'is required' });
      const { name, kind, settings, disabled } = connector;
      const put = await connectors.put(callerOf(identity), { name, kind, settings, secrets, disabled });
      return PutConnectorResponse.fromPartial({ connector: connectorToProto(put) });
    },
    deleteConnector: async (request: DeleteConnectorRequest, identity: Identity) => {
      await connectors.delete(callerOf(identity), request.connector);
      return DeleteConnectorResponse.fromPartial({});
    },
    listResources: async (_: ListResourcesRequest) =>
      ListResourcesResponse.fromPartial({ resources: (await resources.list()).map(resourceToProto) }),
    putResource: async (request: PutResourceRequest, identity: Identity) => {
      const put = await resources.put(callerOf(identity), wishFromProto(request.resource));
      return PutResourceResponse.fromPartial({ resource: resourceToProto(put) });
    },
    deleteResource: async (request: DeleteResourceRequest, identity: Identity) => {
      await resources.delete(callerOf(identity), request.resource);
      return DeleteResourceResponse.fromPartial({});
    },
    tryResource: async ({ which, user }: TryResourceRequest, identity: Identity) => {
      const wanted = which?.$case === 'resource' ? { given: which.value } : wishFromProto(which?.value);
      const result = await work.try(callerOf(identity), wanted, user);
      return TryResourceResponse.fromPartial({
        ...result,
        ok: result.problem === '',
        findings: [...result.findings],
        took: durationFromMs(result.tookMs),
      });
    },
    compareResource: async (request: CompareResourceRequest) => {
      await work.compare(request.resource);
      return CompareResourceResponse.fromPartial({ resource: resourceToProto(await resources.get(request.resource)) });
    },
    acceptDrift: async (request: AcceptDriftRequest, identity: Identity) => {
      const resource = await work.acceptDrift(settlementFromProto(request, identity));
      return AcceptDriftResponse.fromPartial({ resource: resourceToProto(resource) });
    },
    giveDriftAgain: async (request: GiveDriftAgainRequest, identity: Identity) => {
      const session = await work.giveDriftAgain(settlementFromProto(request, identity));
      return GiveDriftAgainResponse.fromPartial({ session: sessionToProto(session, isLinked) });
    },
    takeDriftAway: async (request: TakeDriftAwayRequest, identity: Identity) => {
      const resource = await work.takeDriftAway(settlementFromProto(request, identity));
      return TakeDriftAwayResponse.fromPartial({ resource: resourceToProto(resource) });
    },
  };
}

const settlementFromProto = ({ driftId, reason }: AcceptDriftRequest, identity: Identity): Settlement => ({
  caller: callerOf(identity),
  given: driftId,
  reason,
});

const kindToProto = (
  kind: string,
  title: string,
  settings: readonly FieldRecord[],
  target: readonly FieldRecord[],
): ConnectorKind =>
  ConnectorKind.fromPartial({ kind, title, settings: settings.map(fieldToProto), target: target.map(fieldToProto) });

const fieldToProto = (field: FieldRecord) => ({
  name: field.name,
  label: field.label,
  help: field.help,
  required: field.required ?? false,
  secret: field.secret ?? false,
  choices: [...(field.choices ?? [])],
  defaultValue: field.defaultValue ?? '',
  multiline: field.multiline ?? false,
});

const connectorToProto = (connector: ConnectorRecord): Connector =>
  Connector.fromPartial({
    id: connector.id,
    name: connector.name,
    kind: connector.kind,
    settings: connector.settings,
    disabled: connector.disabled === 1,
    secretsSet: Object.keys(connector.sealed).sort(),
    circuitOpen: isOpenCircuit(connector),
    failingSinceTime: dateFromMs(connector.failing_since_ms),
    nextAttemptTime: dateFromMs(connector.next_attempt_at_ms),
    lastError: connector.last_error.slice(0, MOST_ERROR),
  });

const resourceToProto = (resource: ResourceRecord): Resource =>
  Resource.fromPartial({
    id: resource.id,
    name: resource.name,
    description: resource.description,
    connector: resource.connector_name,
    connectorKind: resource.kind,
    target: resource.target,
    disabled: resource.disabled === 1,
    subjects: resource.subjects.map(({ user_name: user, subject }) => ({ user, subject })),
    liveSessions: resource.live_sessions,
    drift: resource.drift.map((drift) => ({
      id: drift.id,
      kind: DriftKind[drift.kind.toUpperCase() as keyof typeof DriftKind],
      subject: drift.label.slice(0, MOST_ERROR),
      sessionId: drift.session_id,
      seenTime: dateFromMs(drift.seen_at_ms),
    })),
    comparedTime: dateFromMs(resource.compared_at_ms),
  });

function wishFromProto(resource: Resource | undefined): ResourceWish {
  if (resource === undefined) throw new CurfewError('RESOURCE_INVALID', { field: 'resource', problem: 'is required' });
  const { name, description, connector, connectorKind, target, disabled, subjects } = resource;
  const isGroup = connector === '' && connectorKind === DEVICE_GROUP;
  return { name, description, connector: isGroup ? DEVICE_GROUP : connector, target, disabled, subjects };
}
