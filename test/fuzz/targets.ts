import { asciicasts } from './asciicasts.js';
import { configuration } from './configuration.js';
import { csvTables } from './csv-tables.js';
import { desiredStates } from './desired-states.js';
import { flags } from './flags.js';
import { leases } from './leases.js';
import { observedStates } from './observed-states.js';
import { policies } from './policies.js';
import { recordedEvents } from './recorded-events.js';
import { signatures } from './signatures.js';
import { sudoLog } from './sudo-log.js';
import { sudoersRules } from './sudoers-rules.js';
import { tokens } from './tokens.js';
import type { FuzzTarget } from './target.js';

export const TARGETS: readonly FuzzTarget[] = [
  ...[sudoLog, leases, recordedEvents, policies, flags],
  ...[signatures, configuration, csvTables, sudoersRules, asciicasts, desiredStates, observedStates, tokens],
];
