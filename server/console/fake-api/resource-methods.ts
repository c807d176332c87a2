import type { ConnectorJson, ResourceJson, TryResourceResponseJson, UserJson } from '../src/gen/api.js';
import { durationToProto } from '../src/model/proto-json.js';
import { DEVICE_GROUP, FAKE_KINDS, fakeKind, kindOut } from './connector-kinds.js';
import { compare } from './drift-life.js';
import { driftMethods } from './drift-methods.js';
import type { CallHandlers } from './handlers.js';
import { find } from './lookup.js';
import {
  checkFields,
  checkName,
  connectorInUse,
  connectorNotFound,
  invalid,
  neededKind,
  resourceInUse,
} from './resource-refusals.js';
import { refuse } from './refusal.js';
import { healthOf, PROBLEMS, subjectOf } from './resource-life.js';
import { liveSessions, resourceOut } from './resource-out.js';
import type { World } from './world.js';

const byName = (a: { name?: string }, b: { name?: string }): number => ((a.name ?? '') < (b.name ?? '') ? -1 : 1);

const connectorOf = (world: World, given: string | undefined): ConnectorJson => {
  const found = [...world.connectors.values()].find(({ id, name }) => id === given || name === given);
  if (found === undefined || given === '') throw connectorNotFound(given ?? '');
  return found;
};

const resourceOf = (world: World, given: string | undefined): ResourceJson =>
  find(world.resources.values(), 'resource', given, 'RESOURCE_NOT_FOUND', ({ name }) => name);

const userOf = (world: World, given: string | undefined): UserJson =>
  find(world.users.values(), 'user', given, 'USER_NOT_FOUND', ({ name }) => name);

/** A candidate, checked, with the connector's name and kind. */
function checkedResource(world: World, given: ResourceJson | undefined): ResourceJson {
  const { name = '', description = '', disabled = false, subjects = [] } = given ?? {};
  checkName('RESOURCE_INVALID', name);
  const place = placeOf(world, given);
  const named = subjects.map(({ user, subject }) => ({ user: userOf(world, user).name ?? '', subject: subject ?? '' }));
  const twice = named.find(({ user }, index) => named.findIndex((other) => other.user === user) !== index);
  if (twice !== undefined) throw invalid('RESOURCE_INVALID', 'subjects', `${twice.user} is named twice`);
  return { name, description, ...place, disabled, subjects: named };
}

/** Where a resource is: in a system behind a connector, or a group of a device, which needs none. */
function placeOf(world: World, given: ResourceJson = {}): ResourceJson {
  const { connector: name = '', connectorKind, target = {} } = given;
  if (name === DEVICE_GROUP.kind || (name === '' && connectorKind === DEVICE_GROUP.kind)) {
    checkFields('RESOURCE_INVALID', 'target', DEVICE_GROUP.target, target);
    const device = find(world.devices.values(), 'device', target['device'], 'DEVICE_NOT_FOUND', (one) => one.name);
    return { connector: '', connectorKind: DEVICE_GROUP.kind, target: { ...target, device: device.id ?? '' } };
  }
  const connector = connectorOf(world, name);
  checkFields('RESOURCE_INVALID', 'target', fakeKind(connector.kind)?.target ?? [], target);
  return { connector: connector.name ?? '', connectorKind: connector.kind ?? '', target };
}

/** A secret that nobody is shown must not be sent to a place of somebody's choice either. */
function secretsStayHome(
  before: ConnectorJson | undefined,
  settings: Readonly<Record<string, string>>,
  secrets: Readonly<Record<string, string>>,
): void {
  const moved = ['url', 'host', 'port'].find((name) => (before?.settings?.[name] ?? '') !== (settings[name] ?? ''));
  const kept = before?.secretsSet?.find((name) => (secrets[name] ?? '') === '');
  if (moved !== undefined && kept !== undefined)
    throw invalid('CONNECTOR_INVALID', `secrets.${kept}`, `must be given again when settings.${moved} changes`);
}

function tried(world: World, resource: ResourceJson, given: string): TryResourceResponseJson {
  const user = given === '' ? undefined : userOf(world, given);
  const health = healthOf(world, resource);
  if (health === 'down') return { ok: false, problem: PROBLEMS.down, took: '3s' };
  const members = world.members.get(resource.id ?? '') ?? new Set<string>();
  const subject = user === undefined ? '' : (subjectOf(resource, user) ?? '');
  const what = Object.values(resource.target ?? {}).find((value) => !value.startsWith('dev-')) ?? '';
  return {
    ok: true,
    description: `${resource.connectorKind === 'postgresql' ? 'role' : 'group'} '${what}' with ${members.size} members`,
    findings:
      resource.connectorKind === 'postgresql'
        ? ['The user may grant this role, but not end connections of others.']
        : [],
    subject,
    has: members.has(subject),
    took: durationToProto(health === 'slow' ? 8_400 : 42),
  };
}

/** What can be had for a time, and how it is reached. */
export const resourceMethods: Pick<CallHandlers, Extract<keyof CallHandlers, `ResourceService/${string}`>> = {
  ...driftMethods,
  'ResourceService/ListConnectorKinds': () => ({ kinds: FAKE_KINDS.map(kindOut) }),
  'ResourceService/ListConnectors': (world) => ({ connectors: [...world.connectors.values()].sort(byName) }),
  'ResourceService/PutConnector': (world, caller, { connector: given = {}, secrets = {} }) => {
    const { name = '', settings = {}, disabled = false } = given;
    checkName('CONNECTOR_INVALID', name);
    const before = [...world.connectors.values()].find((one) => one.name === name);
    const kind = neededKind(given.kind);
    if (before !== undefined && before.kind !== kind.kind)
      throw invalid('CONNECTOR_INVALID', 'kind', `it is ${before.kind ?? ''} and cannot become another`);
    const kept = before?.secretsSet ?? [];
    checkFields(
      'CONNECTOR_INVALID',
      'settings',
      kind.settings.filter(({ secret }) => secret !== true),
      settings,
    );
    checkFields(
      'CONNECTOR_INVALID',
      'secrets',
      kind.settings.filter(({ secret }) => secret === true),
      secrets,
      kept,
    );
    secretsStayHome(before, settings, secrets);
    const set = Object.entries(secrets).flatMap(([key, value]) => (value === '' ? [] : [key]));
    const connector: ConnectorJson = {
      ...before,
      id: before?.id ?? world.id('connector'),
      name,
      kind: kind.kind,
      settings,
      disabled,
      secretsSet: [...new Set([...kept, ...set])].sort(),
    };
    world.connectors.set(connector.id ?? '', connector);
    world.record('connector.changed', `user:${caller.user.name ?? ''}`, connector.id ?? '', { name });
    return { connector };
  },
  'ResourceService/DeleteConnector': (world, caller, { connector: given }) => {
    const connector = [...world.connectors.values()].find(({ id, name }) => id === given || name === given);
    if (connector === undefined) return {};
    const users = [...world.resources.values()].filter((resource) => resource.connector === connector.name);
    if (users.length > 0) throw connectorInUse(connector.name ?? '', users.map(({ name }) => name ?? '').sort());
    world.connectors.delete(connector.id ?? '');
    world.record('connector.removed', `user:${caller.user.name ?? ''}`, connector.id ?? '');
    return {};
  },
  'ResourceService/ListResources': (world) => ({
    resources: [...world.resources.values()].sort(byName).map((resource) => resourceOut(world, resource)),
  }),
  'ResourceService/PutResource': (world, caller, { resource: given }) => {
    const checked = checkedResource(world, given);
    const before = [...world.resources.values()].find(({ name }) => name === checked.name);
    const isMoved =
      before !== undefined &&
      (before.connector !== checked.connector || JSON.stringify(before.target) !== JSON.stringify(checked.target));
    const live = before === undefined ? 0 : liveSessions(world, before);
    if (isMoved && live > 0) throw resourceInUse(checked.name ?? '', live);
    const resource = { ...before, ...checked, id: before?.id ?? world.id('resource') };
    world.resources.set(resource.id, resource);
    world.record('resource.changed', `user:${caller.user.name ?? ''}`, resource.id, { name: checked.name });
    return { resource: resourceOut(world, resource) };
  },
  'ResourceService/DeleteResource': (world, caller, { resource: given }) => {
    const resource = [...world.resources.values()].find(({ id, name }) => id === given || name === given);
    if (resource === undefined) return {};
    const live = liveSessions(world, resource);
    if (live > 0) throw resourceInUse(resource.name ?? '', live);
    world.resources.delete(resource.id ?? '');
    world.record('resource.removed', `user:${caller.user.name ?? ''}`, resource.id ?? '');
    return {};
  },
  'ResourceService/TryResource': (world, _caller, { resource, candidate, user = '' }) => {
    if (candidate !== undefined) return tried(world, checkedResource(world, candidate), user);
    if (resource === undefined) throw refuse('FIELD_INVALID', { field: 'which', problem: 'is required' });
    return tried(world, resourceOf(world, resource), user);
  },
  'ResourceService/CompareResource': (world, caller, { resource: given }) => {
    const resource = compare(world, resourceOf(world, given));
    world.record('resource.compared', `user:${caller.user.name ?? ''}`, resource.id ?? '');
    return { resource: resourceOut(world, resource) };
  },
};
