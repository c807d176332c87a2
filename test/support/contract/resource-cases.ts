import type { ContractCase } from './contract-case.js';

type Body = Readonly<Record<string, unknown>>;

const CONNECTOR = {
  name: 'reporting',
  kind: 'postgresql',
  settings: { host: 'reporting.example.com', user: 'curfew' },
};
const RESOURCE = {
  name: 'reporting-db',
  description: 'The read replica',
  connector: 'reporting',
  target: { role: 'report_reader' },
  subjects: [{ user: 'carol', subject: 'carol_ro' }],
};
const FOR_RESOURCES = {
  name: 'resources',
  spec: { effect: 'POLICY_EFFECT_ALLOW', resource: { names: ['reporting-db'] }, maxDuration: '7200s' },
};
const ASK = { resource: 'reporting-db', duration: '1800s', reason: 'figures' };

const putConnector = (connector: object, secrets: object = {}): Body => ({
  connector: { ...CONNECTOR, ...connector },
  secrets,
});
const putResource = (resource: object): Body => ({ resource: { ...RESOURCE, ...resource } });

/** Connectors, resources and requests for them. Nothing is reached: the systems outside do not exist. */
export const RESOURCE_CASES: readonly ContractCase[] = [
  // Connectors.
  {
    name: 'the kinds of connectors',
    as: 'erin',
    method: 'ResourceService/ListConnectorKinds',
    has: ['kinds.0.kind', 'kinds.0.title', 'kinds.0.target.0.help'],
  },
  {
    name: 'the kinds for a user',
    as: 'carol',
    method: 'ResourceService/ListConnectorKinds',
    refused: 'METHOD_NOT_ALLOWED',
  },
  {
    name: 'a connector by a viewer',
    as: 'erin',
    method: 'ResourceService/PutConnector',
    request: putConnector({}, { password: 'hidden' }),
    refused: 'METHOD_NOT_ALLOWED',
  },
  {
    name: 'a connector of no kind',
    as: 'alice',
    method: 'ResourceService/PutConnector',
    request: putConnector({ kind: 'carrier_pigeon' }),
    refused: 'CONNECTOR_INVALID',
    field: 'kind',
  },
  {
    name: 'a connector without a needed setting',
    as: 'alice',
    method: 'ResourceService/PutConnector',
    request: putConnector({ settings: { host: 'reporting.example.com' } }, { password: 'hidden' }),
    refused: 'CONNECTOR_INVALID',
    field: 'settings.user',
  },
  {
    name: 'a connector with a setting of another kind',
    as: 'alice',
    method: 'ResourceService/PutConnector',
    request: putConnector({ settings: { ...CONNECTOR.settings, bucket: 'x' } }, { password: 'hidden' }),
    refused: 'CONNECTOR_INVALID',
    field: 'settings.bucket',
  },
  {
    name: 'a connector with an address that is none',
    as: 'alice',
    method: 'ResourceService/PutConnector',
    request: {
      connector: {
        name: 'directory',
        kind: 'ldap',
        settings: { url: 'gopher://x', bind_dn: 'cn=x', people_dn: 'o=x' },
      },
      secrets: { password: 'hidden' },
    },
    refused: 'CONNECTOR_INVALID',
    field: 'settings.url',
  },
  {
    name: 'a connector without its secret',
    as: 'alice',
    method: 'ResourceService/PutConnector',
    request: putConnector({}),
    refused: 'CONNECTOR_INVALID',
    field: 'secrets.password',
  },
  {
    name: 'a connector with a choice that is none',
    as: 'alice',
    method: 'ResourceService/PutConnector',
    request: putConnector({ settings: { ...CONNECTOR.settings, tls: 'maybe' } }, { password: 'hidden' }),
    refused: 'CONNECTOR_INVALID',
    field: 'settings.tls',
  },
  {
    name: 'a connector',
    as: 'alice',
    method: 'ResourceService/PutConnector',
    request: putConnector({}, { password: 'hidden' }),
    has: ['connector.id', 'connector.kind', 'connector.settings.host', 'connector.secretsSet.0'],
  },
  {
    name: 'the same connector without its secret, which is kept',
    as: 'alice',
    method: 'ResourceService/PutConnector',
    request: putConnector({}),
    has: ['connector.secretsSet.0'],
  },
  {
    name: 'a connector that moves, without its secret',
    as: 'alice',
    method: 'ResourceService/PutConnector',
    request: putConnector({ settings: { ...CONNECTOR.settings, host: 'elsewhere.example.com' } }),
    refused: 'CONNECTOR_INVALID',
    field: 'secrets.password',
  },
  {
    name: 'a connector that becomes of another kind',
    as: 'alice',
    method: 'ResourceService/PutConnector',
    request: putConnector({ kind: 'ldap', settings: { url: 'ldaps://x', bind_dn: 'cn=x', people_dn: 'o=x' } }),
    refused: 'CONNECTOR_INVALID',
    field: 'kind',
  },
  {
    name: 'connectors',
    as: 'erin',
    method: 'ResourceService/ListConnectors',
    has: ['connectors.0.name', 'connectors.0.secretsSet.0'],
  },

  // Resources.
  {
    name: 'a resource by a viewer',
    as: 'erin',
    method: 'ResourceService/PutResource',
    request: putResource({}),
    refused: 'METHOD_NOT_ALLOWED',
  },
  {
    name: 'a resource of no connector',
    as: 'alice',
    method: 'ResourceService/PutResource',
    request: putResource({ connector: 'nothing' }),
    refused: 'CONNECTOR_NOT_FOUND',
  },
  {
    name: 'a resource that names nothing in it',
    as: 'alice',
    method: 'ResourceService/PutResource',
    request: putResource({ target: {} }),
    refused: 'RESOURCE_INVALID',
    field: 'target.role',
  },
  {
    name: 'a resource for nobody',
    as: 'alice',
    method: 'ResourceService/PutResource',
    request: putResource({ subjects: [{ user: 'nobody', subject: 'x' }] }),
    refused: 'USER_NOT_FOUND',
  },
  {
    name: 'a resource',
    as: 'alice',
    method: 'ResourceService/PutResource',
    request: putResource({}),
    has: ['resource.id', 'resource.connectorKind', 'resource.target.role', 'resource.subjects.0.user'],
    keeps: { resource: 'resource.id' },
  },
  {
    name: 'a group of no device',
    as: 'alice',
    method: 'ResourceService/PutResource',
    request: { resource: { name: 'docker', connector: 'device_group', target: { device: 'web-9', group: 'docker' } } },
    refused: 'DEVICE_NOT_FOUND',
  },
  {
    name: 'a group of a device, which needs no connector',
    as: 'alice',
    method: 'ResourceService/PutResource',
    request: { resource: { name: 'docker', connector: 'device_group', target: { device: 'web-1', group: 'docker' } } },
    has: ['resource.connectorKind', 'resource.target.device'],
  },
  {
    name: 'resources',
    as: 'erin',
    method: 'ResourceService/ListResources',
    has: ['resources.0.name', 'resources.1.connector', 'resources.1.description'],
  },
  {
    name: 'trying none',
    as: 'alice',
    method: 'ResourceService/TryResource',
    request: { resource: 'nothing' },
    refused: 'RESOURCE_NOT_FOUND',
  },
  {
    name: 'trying for nobody',
    as: 'alice',
    method: 'ResourceService/TryResource',
    request: { resource: 'reporting-db', user: 'nobody' },
    refused: 'USER_NOT_FOUND',
  },
  {
    name: 'trying',
    as: 'alice',
    method: 'ResourceService/TryResource',
    request: { resource: 'reporting-db', user: 'carol' },
    has: ['problem', 'took'],
  },
  {
    name: 'trying what is not kept yet',
    as: 'alice',
    method: 'ResourceService/TryResource',
    request: { candidate: { ...RESOURCE, name: 'another', target: { role: '' } } },
    refused: 'RESOURCE_INVALID',
    field: 'target.role',
  },
  {
    name: 'trying by a viewer',
    as: 'erin',
    method: 'ResourceService/TryResource',
    request: { resource: 'reporting-db' },
    refused: 'METHOD_NOT_ALLOWED',
  },
  {
    name: 'comparing what does not answer',
    as: 'alice',
    method: 'ResourceService/CompareResource',
    request: (kept) => ({ resource: kept.get('resource') }),
    refused: 'RESOURCE_UNREACHABLE',
  },
  {
    name: 'comparing none',
    as: 'alice',
    method: 'ResourceService/CompareResource',
    request: { resource: 'nothing' },
    refused: 'RESOURCE_NOT_FOUND',
  },
  ...(['AcceptDrift', 'GiveDriftAgain', 'TakeDriftAway'] as const).flatMap((method): ContractCase[] => [
    {
      name: `${method} by a viewer`,
      as: 'erin',
      method: `ResourceService/${method}`,
      request: { driftId: 'dft-0', reason: 'x' },
      refused: 'METHOD_NOT_ALLOWED',
    },
    {
      name: `${method} of no difference`,
      as: 'alice',
      method: `ResourceService/${method}`,
      request: { driftId: 'dft-0', reason: 'x' },
      refused: 'DRIFT_NOT_FOUND',
    },
  ]),
  {
    name: 'a connector that is used',
    as: 'alice',
    method: 'ResourceService/DeleteConnector',
    request: { connector: 'reporting' },
    refused: 'CONNECTOR_IN_USE',
  },

  // Asking for one.
  {
    name: 'a policy for resources',
    as: 'alice',
    method: 'PolicyService/ApplyPolicies',
    request: { policies: [FOR_RESOURCES] },
    has: ['changes.0.name'],
  },
  {
    name: 'why a resource',
    as: 'erin',
    method: 'PolicyService/ExplainAccess',
    request: { user: 'carol', resource: 'reporting-db', duration: '600s' },
    has: ['answer.allowed', 'answer.policyName'],
  },
  {
    name: 'asking for no resource',
    as: 'carol',
    method: 'AccessService/CreateMyRequest',
    request: { ...ASK, resource: 'nothing' },
    refused: 'RESOURCE_NOT_FOUND',
  },
  {
    name: 'asking for a resource for too long',
    as: 'carol',
    method: 'AccessService/CreateMyRequest',
    request: { ...ASK, duration: '10800s' },
    refused: 'DURATION_TOO_LONG',
  },
  {
    name: 'asking for a resource',
    as: 'carol',
    method: 'AccessService/CreateMyRequest',
    request: ASK,
    has: ['request.id', 'request.resourceId', 'request.resourceName', 'request.waitsFor'],
    keeps: { resourceRequest: 'request.id' },
  },
  {
    name: 'asking for it twice',
    as: 'carol',
    method: 'AccessService/CreateMyRequest',
    request: ASK,
    refused: 'REQUEST_ALREADY_OPEN',
  },
  {
    name: 'requests for a resource, by its name',
    as: 'erin',
    method: 'RequestService/ListAccessRequests',
    request: { filter: { resource: 'reporting-db' } },
    has: ['requests.0.resourceName'],
  },
  {
    name: 'withdrawing it',
    as: 'carol',
    method: 'AccessService/CancelMyRequest',
    request: (kept) => ({ requestId: kept.get('resourceRequest') }),
    has: ['request.resourceName'],
  },
  {
    name: 'sessions of a resource, by its name',
    as: 'erin',
    method: 'SessionService/ListSessions',
    request: { filter: { kind: 'SESSION_KIND_TIMED_ACCESS', resource: 'reporting-db' }, orderBy: 'resource_name' },
  },
  {
    name: 'giving no resource',
    as: 'alice',
    method: 'SessionService/GrantSession',
    request: { user: 'carol', resource: 'nothing', duration: '600s', reason: 'x' },
    refused: 'RESOURCE_NOT_FOUND',
  },
  {
    name: 'revoking what no resource has',
    as: 'bob',
    method: 'SessionService/RevokeSessions',
    request: { resource: 'nothing', reason: 'x' },
    refused: 'RESOURCE_NOT_FOUND',
  },

  // Removing.
  {
    name: 'deleting a resource by a viewer',
    as: 'erin',
    method: 'ResourceService/DeleteResource',
    request: { resource: 'reporting-db' },
    refused: 'METHOD_NOT_ALLOWED',
  },
  {
    name: 'deleting a resource',
    as: 'alice',
    method: 'ResourceService/DeleteResource',
    request: { resource: 'reporting-db' },
  },
  {
    name: 'deleting it again',
    as: 'alice',
    method: 'ResourceService/DeleteResource',
    request: { resource: 'reporting-db' },
  },
  {
    name: 'deleting the group',
    as: 'alice',
    method: 'ResourceService/DeleteResource',
    request: { resource: 'docker' },
  },
  {
    name: 'deleting a connector',
    as: 'alice',
    method: 'ResourceService/DeleteConnector',
    request: { connector: 'reporting' },
  },
];
