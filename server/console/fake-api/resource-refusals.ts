import { fakeKind, type FakeField } from './connector-kinds.js';
import { Refusal } from './refusal.js';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

type Invalid = 'CONNECTOR_INVALID' | 'RESOURCE_INVALID';

/** A refusal of something that is not well in itself. `field` is as in 'settings.url'. */
export const invalid = (code: Invalid, field: string, problem: string): Refusal =>
  new Refusal(code, `${field}: ${problem}`, 400, field);

export const connectorNotFound = (given: string): Refusal =>
  new Refusal('CONNECTOR_NOT_FOUND', `no connector '${given}'`, 404);

export const connectorInUse = (name: string, by: readonly string[]): Refusal =>
  new Refusal('CONNECTOR_IN_USE', `'${name}' is used by ${by.join(', ')}; remove those first`, 409);

export const connectorDisabled = (name: string): Refusal =>
  new Refusal('CONNECTOR_DISABLED', `the connector '${name}' is disabled`, 409);

export const resourceInUse = (name: string, count: number): Refusal =>
  new Refusal('RESOURCE_IN_USE', `'${name}' has ${count} live sessions; revoke those first`, 409);

export const subjectUnknown = (resource: string, user: string): Refusal =>
  new Refusal(
    'RESOURCE_SUBJECT_UNKNOWN',
    `'${resource}' knows nobody for ${user}; say how the user is called there`,
    409,
  );

export const resourceUnreachable = (name: string, problem: string): Refusal =>
  new Refusal('RESOURCE_UNREACHABLE', `the resource '${name}' does not answer: ${problem}`, 503);

export const resourceDisabled = (name: string): Refusal =>
  new Refusal('RESOURCE_DISABLED', `the resource '${name}' is disabled, so nobody gets it`, 409);

/** Refuses a name that is none. */
export function checkName(code: Invalid, name: string): void {
  if (!NAME.test(name)) throw invalid(code, 'name', 'must be 1 to 64 letters, digits, dots, underscores and hyphens');
}

/**
 * Holds values against the fields of a kind. `section` is 'settings', 'secrets' or 'target'. A field that has been kept
 * needs no value.
 */
export function checkFields(
  code: Invalid,
  section: string,
  fields: readonly FakeField[],
  values: Readonly<Record<string, string>>,
  kept: readonly string[] = [],
): void {
  for (const name of Object.keys(values))
    if (!fields.some((field) => field.name === name))
      throw invalid(code, `${section}.${name}`, 'is not a field of this kind');
  for (const { name, required, choices = [], rule } of fields) {
    const value = values[name] ?? '';
    const field = `${section}.${name}`;
    if (value === '') {
      if (required === true && !kept.includes(name)) throw invalid(code, field, 'must be given');
    } else if (choices.length > 0 && !choices.includes(value))
      throw invalid(code, field, `must be one of ${choices.join(', ')}`);
    else {
      const problem = rule?.(value);
      if (problem !== undefined) throw invalid(code, field, problem);
    }
  }
}

/** The kind of a name; CONNECTOR_INVALID when there is none. */
export function neededKind(name: string | undefined): NonNullable<ReturnType<typeof fakeKind>> {
  const kind = fakeKind(name);
  if (kind === undefined || kind.settings.length === 0)
    throw invalid('CONNECTOR_INVALID', 'kind', `there is no kind '${name ?? ''}'`);
  return kind;
}
