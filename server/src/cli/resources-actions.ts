import type { Command } from 'commander';
import {
  AcceptDriftRequest,
  CompareResourceRequest,
  Connector,
  ConnectorKind,
  GiveDriftAgainRequest,
  Resource,
  ResourceDrift,
  ResourceServiceService as service,
  TakeDriftAwayRequest,
  TryResourceRequest,
  TryResourceResponse,
} from '@curfew/proto';
import {
  CurfewError,
  Exit,
  EXIT,
  outputOf,
  printList,
  printOne,
  protoJson,
  renderFields,
  safeText,
  say,
} from '@curfew/shared/cli';
import {
  connectorTable,
  driftTable,
  kindTable,
  resourceFields,
  resourceTable,
  type FoundDrift,
} from './resource-table.js';
import type { TryFlags } from './resources-flags.js';
import { withServer } from './server-connection.js';
import { known, printSession } from './sessions-actions.js';
import type { ToolContext } from './tool-context.js';

/** `resources list`. */
export async function listResources(context: ToolContext, command: Command): Promise<void> {
  const { resources } = await withServer(context, command, (server) => server.unary(service.listResources, {}));
  await printList(context, outputOf(command).format, {
    items: resources,
    json: (resource) => protoJson(Resource.toJSON(resource)),
    table: resourceTable,
    none: 'no resources; make them with: curfewctl resources apply -f FILE (see its --help)',
  });
}

/** `resources show RESOURCE`. Errors: RESOURCE_NOT_FOUND. */
export async function showResource(context: ToolContext, command: Command, given: string): Promise<void> {
  const { resources } = await withServer(context, command, (server) => server.unary(service.listResources, {}));
  await printResource(context, command, resourceNamed(resources, given));
}

function resourceNamed(resources: readonly Resource[], given: string): Resource {
  const found = resources.find(({ id, name }) => id === given || name.toLowerCase() === given.toLowerCase());
  if (found === undefined) throw new CurfewError('RESOURCE_NOT_FOUND', { given });
  return found;
}

/** `resources compare RESOURCE`. */
export async function compareResource(context: ToolContext, command: Command, given: string): Promise<void> {
  const { resource } = await withServer(context, command, (server) =>
    server.unary(service.compareResource, CompareResourceRequest.fromPartial({ resource: given })),
  );
  const compared = known(resource);
  const { length } = compared.drift;
  say(context, length === 0 ? 'ledger and resource agree' : `${length} ${length === 1 ? 'difference' : 'differences'}`);
  await printResource(context, command, compared);
}

const printResource = (context: ToolContext, command: Command, resource: Resource): Promise<void> =>
  printOne(context, outputOf(command).format, {
    json: protoJson(Resource.toJSON(resource)),
    text: (look) => resourceFields(resource, context.clock.now(), look),
  });

/** `resources drift list`: what differs in every resource, or in one. Errors: RESOURCE_NOT_FOUND. */
export async function listDrift(context: ToolContext, command: Command, given = ''): Promise<void> {
  const { resources } = await withServer(context, command, (server) => server.unary(service.listResources, {}));
  const chosen = given === '' ? resources : [resourceNamed(resources, given)];
  await printList(context, outputOf(command).format, {
    items: chosen.flatMap(({ name, drift }) => drift.map((one): FoundDrift => ({ resource: name, drift: one }))),
    json: ({ resource, drift }) => ({ resource, difference: protoJson(ResourceDrift.toJSON(drift)) }),
    table: (found, look) => driftTable(found, context.clock.now(), look),
    none: 'ledger and resources agree, as far as they were compared',
  });
}

/** `resources drift accept ID`. */
export async function acceptDrift(context: ToolContext, command: Command, id: string, reason: string): Promise<void> {
  const request = AcceptDriftRequest.fromPartial({ driftId: id, reason });
  const { resource } = await withServer(context, command, (server) => server.unary(service.acceptDrift, request));
  say(context, 'accepted: it is shown no more, and what stands there is never taken away');
  await printResource(context, command, known(resource));
}

/** `resources drift give-again ID`. */
export async function giveDriftAgain(
  context: ToolContext,
  command: Command,
  id: string,
  reason: string,
): Promise<void> {
  const request = GiveDriftAgainRequest.fromPartial({ driftId: id, reason });
  const { session } = await withServer(context, command, (server) => server.unary(service.giveDriftAgain, request));
  await printSession(context, command, known(session));
}

/** `resources drift take-away ID`: says so when the resource has confirmed it. */
export async function takeDriftAway(context: ToolContext, command: Command, id: string, reason: string): Promise<void> {
  const request = TakeDriftAwayRequest.fromPartial({ driftId: id, reason });
  const { resource } = await withServer(context, command, (server) => server.unary(service.takeDriftAway, request));
  say(context, 'taken away: the resource has confirmed it');
  await printResource(context, command, known(resource));
}

/** `resources connectors`. */
export async function listConnectors(context: ToolContext, command: Command): Promise<void> {
  const { connectors } = await withServer(context, command, (server) => server.unary(service.listConnectors, {}));
  await printList(context, outputOf(command).format, {
    items: connectors,
    json: (connector) => protoJson(Connector.toJSON(connector)),
    table: (items, look) => connectorTable(items, context.clock.now(), look),
    none: 'no connectors; make them with: curfewctl resources apply -f FILE (see its --help)',
  });
}

/** `resources kinds`. */
export async function listKinds(context: ToolContext, command: Command): Promise<void> {
  const { kinds } = await withServer(context, command, (server) => server.unary(service.listConnectorKinds, {}));
  await printList(context, outputOf(command).format, {
    items: kinds,
    json: (kind) => protoJson(ConnectorKind.toJSON(kind)),
    table: kindTable,
    none: 'this server has no kinds of connectors',
  });
}

/** `resources try RESOURCE`: ends with the code for a failure when the resource cannot be read. */
export async function tryResource(
  context: ToolContext,
  command: Command,
  resource: string,
  { user = '' }: TryFlags,
): Promise<void> {
  const answer = await withServer(context, command, (server) =>
    server.unary(
      service.tryResource,
      TryResourceRequest.fromPartial({ which: { $case: 'resource', value: resource }, user }),
    ),
  );
  await printOne(context, outputOf(command).format, {
    json: protoJson(TryResourceResponse.toJSON(answer)),
    text: (look) =>
      renderFields(
        [
          ['it is', answer.description],
          ...answer.findings.map((finding): [string, string] => ['note', finding]),
          ['problem', answer.problem],
          ...(user === '' || !answer.ok ? [] : [userLine(user, answer)]),
        ],
        look,
      ),
  });
  if (!answer.ok) throw new Exit(EXIT.refused);
}

const userLine = (user: string, { subject, has }: TryResourceResponse): [string, string] => [
  user,
  subject === '' ? 'is not known there' : `is ${subject}, and ${has ? 'has it now' : 'does not have it'}`,
];

/** `resources delete RESOURCE`. */
export async function deleteResource(context: ToolContext, command: Command, resource: string): Promise<void> {
  await withServer(context, command, (server) => server.unary(service.deleteResource, { resource }));
  say(context, `'${safeText(resource)}' is gone from the ledger; nothing was changed in the resource itself`);
}

/** `resources delete-connector CONNECTOR`. */
export async function deleteConnector(context: ToolContext, command: Command, connector: string): Promise<void> {
  await withServer(context, command, (server) => server.unary(service.deleteConnector, { connector }));
  say(context, `'${safeText(connector)}' is gone, with its secrets`);
}
