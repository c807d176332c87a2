import { TargetGuard, type ConnectorParts } from '@curfew/server/parts';
import { SystemClock, systemRandom } from '@curfew/shared';

/** What a connector gets of the server in tests, where everything is on this machine. */
export const LOCAL_PARTS: ConnectorParts = {
  clock: new SystemClock(),
  random: systemRandom,
  guard: new TargetGuard(true),
};

/** Fields as the server fills them in when an admin gives only some. */
export const withDefaults = (
  fields: readonly { readonly name: string; readonly defaultValue?: string }[],
  given: Readonly<Record<string, string>>,
): Record<string, string> =>
  Object.fromEntries(fields.map(({ name, defaultValue = '' }) => [name, given[name] ?? defaultValue]));
