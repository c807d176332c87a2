import type { ConnectorJson, ResourceJson } from '../src/gen/api.js';
import type { World } from './world.js';

const CONNECTORS: readonly ConnectorJson[] = [
  {
    name: 'corp-directory',
    kind: 'ldap',
    settings: {
      url: 'ldaps://ldap.example.com',
      bind_dn: 'cn=curfew,ou=services,dc=example,dc=com',
      people_dn: 'ou=people,dc=example,dc=com',
    },
    secretsSet: ['password'],
  },
  {
    name: 'reporting',
    kind: 'postgresql',
    settings: { host: 'reporting.db.example.com', user: 'curfew', database: 'reporting' },
    secretsSet: ['password'],
  },
  {
    name: 'billing',
    kind: 'webhook',
    settings: { url: 'https://billing.example.com/curfew' },
    secretsSet: ['secret'],
  },
];

/** Who has each of them: before Curfew came, and by hand since. */
const RESOURCES: readonly {
  readonly resource: ResourceJson;
  readonly standing?: readonly string[];
  readonly byHand?: readonly string[];
}[] = [
  {
    resource: {
      name: 'reporting-db',
      description: 'The read replica that figures are made from',
      connector: 'reporting',
      target: { role: 'report_reader', end_connections: 'yes' },
      subjects: [{ user: 'carol', subject: 'carol_ro' }],
    },
    standing: ['report_service'],
  },
  {
    resource: {
      name: 'billing-export',
      description: 'The nightly export of invoices',
      connector: 'billing',
      target: { resource: 'invoices' },
    },
  },
  {
    resource: {
      name: 'wiki-admins',
      description: 'Administrators of the wiki',
      connector: 'corp-directory',
      target: { group_dn: 'cn=wiki-admins,ou=groups,dc=example,dc=com' },
    },
    standing: ['uid=owner,ou=people,dc=example,dc=com'],
    byHand: ['uid=mallory,ou=people,dc=example,dc=com'],
  },
  {
    resource: {
      name: 'vpn-emergency',
      description: 'The way in when single sign-on is down',
      connector: 'corp-directory',
      target: { group_dn: 'cn=vpn-emergency,ou=groups,dc=example,dc=com' },
      disabled: true,
    },
  },
];

/** A group of a device, which needs no connector. */
function seedGroup(world: World): void {
  const device = [...world.devices.values()].find(({ name }) => name === 'build-1');
  const id = world.id('resource');
  world.resources.set(id, {
    id,
    name: 'docker-on-build-1',
    description: 'Containers on the build machine',
    connector: '',
    connectorKind: 'device_group',
    target: { device: device?.id ?? '', group: 'docker' },
  });
}

/** Puts connectors, one of which is failing, and what is reached through them. */
export function seedResources(world: World): void {
  for (const given of CONNECTORS) {
    const id = world.id('connector');
    world.connectors.set(id, { ...given, id });
  }
  for (const { resource: given, standing = [], byHand = [] } of RESOURCES) {
    const id = world.id('resource');
    const kind = CONNECTORS.find(({ name }) => name === given.connector)?.kind ?? '';
    const drift = byHand.map((subject) => ({
      id: world.id('drift'),
      kind: 'DRIFT_KIND_ADDED_BY_HAND' as const,
      subject,
      sessionId: '',
      seenTime: world.time(-95 * 60_000),
    }));
    world.resources.set(id, { ...given, id, connectorKind: kind, drift, comparedTime: world.time(-4 * 60_000) });
    world.standing.set(id, new Set(standing));
    world.members.set(id, new Set([...standing, ...byHand]));
  }
  seedGroup(world);
  world.health.set('billing', 'down');
  const billing = [...world.connectors.values()].find(({ name }) => name === 'billing') ?? {};
  world.connectors.set(billing.id ?? '', {
    ...billing,
    circuitOpen: true,
    failingSinceTime: world.time(-14 * 60_000),
    nextAttemptTime: world.time(46_000),
    lastError: 'connect ECONNREFUSED 10.0.3.7:443',
  });
}
