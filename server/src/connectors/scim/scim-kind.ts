import type { ConnectorConfig, ConnectorKind, ConnectorParts } from '../connector-kind.js';
import { baseAddressProblem, CA_FIELD, tokenProblem } from '../http/http-fields.js';
import { JsonClient } from '../http/json-client.js';
import { ScimConnector } from './scim-connector.js';
import { SCIM_DIALECTS, type ScimDialect } from './scim-patch.js';
import { PEOPLE_BY, type PeopleBy } from './scim-people.js';

const CALLS_AT_ONCE = 4;
const MEDIA_TYPE = 'application/scim+json';
const GROUP_BY = ['name', 'id'] as const;

/** Membership of a group, in whatever speaks SCIM 2.0. */
export const SCIM_KIND: ConnectorKind = {
  kind: 'scim',
  title: 'SCIM 2.0 group',
  settings: [
    {
      name: 'url',
      label: 'Address',
      help: 'The base address, below which /Users and /Groups are, such as https://scim.example.com/v2.',
      required: true,
      problem: baseAddressProblem,
    },
    {
      name: 'token',
      label: 'Bearer token',
      help: 'Its owner reads users and groups, and changes the members of groups.',
      required: true,
      secret: true,
      problem: tokenProblem,
    },
    CA_FIELD,
    {
      name: 'dialect',
      label: 'Dialect',
      help: "How members are added and taken away: as RFC 7644 says, or as Entra ID or Okta do it for servers made for those. The wrong choice of 'entra' can empty a group.",
      choices: SCIM_DIALECTS,
      defaultValue: 'rfc7644',
      changesAnyTime: true,
    },
    {
      name: 'people_by',
      label: 'People by',
      help: 'What people are found by. What an admin gives as their name in a resource is looked for in the same place.',
      choices: PEOPLE_BY,
      defaultValue: 'user_name',
      changesAnyTime: true,
    },
  ],
  target: [
    {
      name: 'group',
      label: 'Group',
      help: "The group's name as it is shown, or its id.",
      required: true,
      problem: (text) => (text.length > 500 ? 'is longer than 500 characters' : undefined),
    },
    {
      name: 'group_by',
      label: 'Group by',
      help: 'Whether that is the name or the id. An id means the same group for ever; a name can be given to another one.',
      choices: GROUP_BY,
      defaultValue: 'name',
    },
  ],
  callsAtOnce: CALLS_AT_ONCE,
  callLimitMs: 30_000,
  open: openScim,
};

function openScim({ settings, secrets, target }: ConnectorConfig, { clock, random, guard }: ConnectorParts) {
  const { url = '', ca = '', dialect, people_by: peopleBy } = settings;
  const { token = '' } = secrets;
  const client = new JsonClient({
    base: new URL(url),
    headers: { authorization: `Bearer ${token}`, accept: MEDIA_TYPE },
    contentType: MEDIA_TYPE,
    secrets: [token],
    ca,
    guard,
    clock,
    connections: CALLS_AT_ONCE,
  });
  return new ScimConnector({
    client,
    clock,
    random,
    dialect: dialect as ScimDialect,
    peopleBy: peopleBy as PeopleBy,
    group: { by: target['group_by'] === 'id' ? 'id' : 'name', value: target['group'] ?? '' },
  });
}
