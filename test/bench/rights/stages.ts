import { awsStage } from './aws.js';
import { commandStage } from './command.js';
import { githubStage } from './github.js';
import { ldapStage } from './ldap.js';
import { postgresqlStage } from './postgresql.js';
import type { Stage } from './right.js';
import { scimStage } from './scim.js';
import { webhookStage } from './webhook.js';

/** Makes the places of each kind, for people who all have a name there. */
export const STAGES: readonly {
  /** As it stands in the tables. */
  readonly title: string;
  /** How much of the people it gets: less where each call takes long in itself. */
  readonly share: number;
  readonly start: (people: readonly string[]) => Promise<Stage>;
}[] = [
  { title: 'LDAP', share: 1, start: ldapStage },
  { title: 'PostgreSQL', share: 1, start: postgresqlStage },
  { title: 'SCIM', share: 1, start: scimStage },
  { title: 'GitHub', share: 1, start: githubStage },
  { title: 'AWS', share: 1, start: awsStage },
  { title: 'webhook', share: 1, start: webhookStage },
  { title: 'command', share: 0.1, start: commandStage },
];
