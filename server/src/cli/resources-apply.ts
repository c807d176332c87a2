import { PutConnectorRequest, PutResourceRequest, ResourceServiceService as service } from '@curfew/proto';
import type { Connector, Resource } from '@curfew/proto';
import { outputOf, printList, say } from '@curfew/shared/cli';
import type { Command } from 'commander';
import { isDeepStrictEqual } from 'node:util';
import { readGivenFile } from './given-file.js';
import { changeTable, type ResourceChange } from './resource-table.js';
import { parseResourcesFile, readSecrets, type FileConnector, type FileResource } from './resources-file.js';
import type { ApplyResourcesFlags } from './resources-flags.js';
import { withServer } from './server-connection.js';
import type { ToolContext } from './tool-context.js';

/**
 * `resources apply -f FILE`: connectors first, then resources, one after the other as the file has them. What the server
 * refuses ends it there; what was done before stays. What is not in the file stays as it is.
 */
export async function applyResources(
  context: ToolContext,
  command: Command,
  { file, dryRun = false }: ApplyResourcesFlags,
): Promise<void> {
  const wished = parseResourcesFile(await readGivenFile(context, file));
  const secrets = new Map(wished.connectors.map((one) => [one.name, readSecrets(one, context.env)]));
  const changes: ResourceChange[] = [];
  await withServer(context, command, async (server) => {
    const { connectors } = await server.unary(service.listConnectors, {});
    const { resources } = await server.unary(service.listResources, {});
    for (const one of wished.connectors) {
      const change = changeOf(one.name, connectors, (before) => isSameConnector(one, before));
      changes.push({ what: 'connector', name: one.name, change });
      if (change === 'unchanged' || dryRun) continue;
      const { name, kind, settings, disabled } = one;
      const connector = { name, kind, settings, disabled };
      const request = { connector, secrets: secrets.get(name) ?? {} };
      await server.unary(service.putConnector, PutConnectorRequest.fromPartial(request));
    }
    for (const one of wished.resources) {
      const change = changeOf(one.name, resources, (before) => isSameResource(one, before));
      changes.push({ what: 'resource', name: one.name, change });
      if (change === 'unchanged' || dryRun) continue;
      const resource = { ...one, subjects: subjectsOf(one) };
      await server.unary(service.putResource, PutResourceRequest.fromPartial({ resource }));
    }
  });
  await printList(context, outputOf(command).format, {
    items: changes,
    json: (change) => change,
    table: changeTable,
    none: 'the file names nothing',
  });
  const { length } = changes.filter(({ change }) => change !== 'unchanged');
  say(context, `${dryRun ? 'would apply' : 'applied'}: ${length} ${length === 1 ? 'change' : 'changes'}`);
}

function changeOf<T extends { readonly name: string }>(
  name: string,
  there: readonly T[],
  isSame: (before: T) => boolean,
): ResourceChange['change'] {
  const before = there.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (before === undefined) return 'create';
  return isSame(before) ? 'unchanged' : 'update';
}

/** Secrets cannot be compared, so whoever names some changes the connector. */
const isSameConnector = (one: FileConnector, before: Connector): boolean =>
  Object.keys(one.secrets).length === 0 &&
  isDeepStrictEqual([one.kind, one.settings, one.disabled], [before.kind, { ...before.settings }, before.disabled]);

const subjectsOf = ({ subjects }: FileResource) =>
  Object.entries(subjects)
    .map(([user, subject]) => ({ user, subject }))
    .sort((a, b) => (a.user < b.user ? -1 : 1));

const isSameResource = (one: FileResource, before: Resource): boolean =>
  isDeepStrictEqual(
    [one.description, one.connector, one.target, one.disabled, subjectsOf(one)],
    [
      before.description,
      before.connector,
      { ...before.target },
      before.disabled,
      before.subjects.map(({ user, subject }) => ({ user, subject })).sort((a, b) => (a.user < b.user ? -1 : 1)),
    ],
  );
