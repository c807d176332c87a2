import { awsLibrary } from './aws.js';
import { commandLibrary } from './command.js';
import { githubLibrary } from './github.js';
import { ldapLibrary } from './ldap.js';
import { postgresqlLibrary } from './postgresql.js';
import type { Place, Right } from './right.js';
import { scimLibrary } from './scim.js';
import { webhookLibrary } from './webhook.js';

/** What each kind of connector does, by its library alone. */
export const LIBRARIES: Readonly<Record<string, (place: Place) => Promise<Right>>> = {
  ldap: ldapLibrary,
  postgresql: postgresqlLibrary,
  scim: scimLibrary,
  github_team: githubLibrary,
  aws_identity_center: awsLibrary,
  webhook: webhookLibrary,
  command: commandLibrary,
};
