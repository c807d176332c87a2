import type { Clock, Random } from '@curfew/shared';
import type { TargetGuard } from '../notifiers/targets/target-guard.js';
import type { Connector } from './connector.js';

/** One setting, as data: forms, documentation and the edge's checks are made from it. */
export interface ConnectorField {
  /** snake_case. */
  readonly name: string;
  readonly label: string;
  /** One sentence. */
  readonly help: string;
  readonly required?: boolean;
  /** Kept sealed and never shown again. */
  readonly secret?: boolean;
  /** The only values that are allowed. */
  readonly choices?: readonly string[];
  /** Stands for a field that is not given. */
  readonly defaultValue?: string;
  readonly multiline?: boolean;
  /**
   * Whether it may change while there are sessions. Then it says how the other side is spoken to or how people are found,
   * never which side that is: what was given is looked for there at the end.
   */
  readonly changesAnyTime?: boolean;
  /** Says what is wrong with a value, as the rest of a sentence such as 'is not an address'; undefined when it is well. */
  readonly problem?: (value: string) => string | undefined;
}

/** Values by the names of fields. Fields that were not given hold their defaults, else ''. */
export type FieldValues = Readonly<Record<string, string>>;

/** What every connector may use of the server. */
export interface ConnectorParts {
  readonly clock: Clock;
  readonly random: Random;
  /** Says where connections may go. */
  readonly guard: TargetGuard;
  /** The folder whose programs connectors may run. Absent or '' means none. */
  readonly commandFolder?: string;
}

/** What a connector is made from: checked values of the kind's own fields. */
export interface ConnectorConfig {
  readonly settings: FieldValues;
  readonly secrets: FieldValues;
  readonly target: FieldValues;
}

/** One kind of connector: what it needs, and how one is made. Data but for `open`. */
export interface ConnectorKind {
  /** snake_case, as in the ledger and in files. */
  readonly kind: string;
  readonly title: string;
  /** What the connection needs, secrets included. */
  readonly settings: readonly ConnectorField[];
  /** What a resource names in it. */
  readonly target: readonly ConnectorField[];
  /** How many calls at the same time one connection of this kind bears. */
  readonly callsAtOnce: number;
  /** How long one call may take, in ms. */
  readonly callLimitMs: number;
  /**
   * Says why this server does not offer the kind, as a sentence without its full stop; undefined when it does. Connectors
   * of such a kind that are there already refuse every call.
   */
  readonly unavailable?: (parts: ConnectorParts) => string | undefined;
  /** Makes the connector of one resource. Connects to nothing yet. */
  open(config: ConnectorConfig, parts: ConnectorParts): Connector;
}
