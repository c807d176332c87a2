import type { ConnectorKind } from './connector-kind.js';
import { GITHUB_TEAM_KIND } from './github/github-kind.js';
import { SCIM_KIND } from './scim/scim-kind.js';

/** Every kind of connector, by title. */
export const CONNECTOR_KINDS: readonly ConnectorKind[] = [GITHUB_TEAM_KIND, SCIM_KIND];

/** The kind of a name, if there is one. */
export const connectorKind = (name: string): ConnectorKind | undefined =>
  CONNECTOR_KINDS.find(({ kind }) => kind === name);
