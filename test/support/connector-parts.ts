import {
  connectorKind,
  TargetGuard,
  type Connector,
  type ConnectorParts,
  type FieldValues,
  type Person,
} from '@curfew/server/parts';
import { SystemClock, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';

/** What a test says of a connector; every other field holds its default, as at the edge. */
export interface ConnectorWish {
  readonly settings: FieldValues;
  readonly secrets?: FieldValues;
  readonly target: FieldValues;
  /** Default: this machine itself may be connected to. */
  readonly guard?: TargetGuard;
  /** What else differs from the parts of other tests. */
  readonly parts?: Partial<ConnectorParts>;
}

/** Opens a connector of a kind. Errors: AssertionError for a value that the kind's own fields refuse. */
export function openConnector(
  kind: string,
  { settings, secrets = {}, target, guard, parts = {} }: ConnectorWish,
): Connector {
  const opened = kindOf(kind);
  const { settings: settingFields, target: targetFields } = opened;
  const values = (fields: typeof settingFields, given: FieldValues): Record<string, string> => {
    for (const name of Object.keys(given))
      assert.ok(
        fields.some((field) => field.name === name),
        `no field ${name}`,
      );
    return Object.fromEntries(
      fields.map(({ name, defaultValue = '', problem, choices }) => {
        const value = given[name] ?? defaultValue;
        if (value !== '') assert.equal(problem?.(value), undefined, `${name}: ${value}`);
        if (choices !== undefined) assert.ok(choices.includes(value), `${name}: ${value}`);
        return [name, value];
      }),
    );
  };
  return opened.open(
    {
      settings: values(
        settingFields.filter(({ secret }) => secret !== true),
        settings,
      ),
      secrets: values(
        settingFields.filter(({ secret }) => secret === true),
        secrets,
      ),
      target: values(targetFields, target),
    },
    connectorParts({ ...(guard === undefined ? {} : { guard }), ...parts }),
  );
}

/** What connectors may use, on this machine alone. */
export const connectorParts = (more: Partial<ConnectorParts> = {}): ConnectorParts => ({
  clock: new SystemClock(),
  random: systemRandom,
  guard: new TargetGuard(true),
  ...more,
});

/** Somebody who is found by their user name alone. */
export const personOf = (userName: string): Person => ({
  userName,
  displayName: userName,
  mailAddresses: [],
  subject: '',
});

/** The kind of a name. */
export function kindOf(kind: string): NonNullable<ReturnType<typeof connectorKind>> {
  const found = connectorKind(kind);
  assert.ok(found, `no kind ${kind}`);
  return found;
}

export const LOCAL_PARTS: ConnectorParts = connectorParts();

/** Fields as the server fills them in when an admin gives only some. */
export const withDefaults = (
  fields: readonly { readonly name: string; readonly defaultValue?: string }[],
  given: FieldValues,
): Record<string, string> =>
  Object.fromEntries(fields.map(({ name, defaultValue = '' }) => [name, given[name] ?? defaultValue]));
