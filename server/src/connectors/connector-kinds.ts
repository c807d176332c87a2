import type { ConnectorKind } from './connector-kind.js';
import { LDAP_KIND } from './ldap/ldap-kind.js';
import { POSTGRESQL_KIND } from './postgresql/postgresql-kind.js';

/** Every kind of connector, by title. */
export const CONNECTOR_KINDS: readonly ConnectorKind[] = [LDAP_KIND, POSTGRESQL_KIND];

/** The kind of a name, if there is one. */
export const connectorKind = (name: string): ConnectorKind | undefined =>
  CONNECTOR_KINDS.find(({ kind }) => kind === name);
