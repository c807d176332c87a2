import { AWS_IDENTITY_CENTER_KIND } from './aws/aws-kind.js';
import { COMMAND_KIND } from './command/command-kind.js';
import type { ConnectorKind } from './connector-kind.js';
import { GITHUB_TEAM_KIND } from './github/github-kind.js';
import { LDAP_KIND } from './ldap/ldap-kind.js';
import { POSTGRESQL_KIND } from './postgresql/postgresql-kind.js';
import { SCIM_KIND } from './scim/scim-kind.js';
import { WEBHOOK_KIND } from './webhook/webhook-kind.js';

/** Every kind of connector, by title. */
export const CONNECTOR_KINDS: readonly ConnectorKind[] = [
  AWS_IDENTITY_CENTER_KIND,
  COMMAND_KIND,
  GITHUB_TEAM_KIND,
  LDAP_KIND,
  POSTGRESQL_KIND,
  SCIM_KIND,
  WEBHOOK_KIND,
];

/** The kind of a name, if there is one. */
export const connectorKind = (name: string): ConnectorKind | undefined =>
  CONNECTOR_KINDS.find(({ kind }) => kind === name);
