import { CurfewError } from '@curfew/shared';

/** What a field may hold: a text of so many characters, or true or false. */
type FieldRule = { readonly max: number; readonly optional?: boolean } | { readonly type: 'boolean' };
type FieldRules = Readonly<Record<string, FieldRule>>;
type Fields<T extends FieldRules> = {
  readonly [Name in keyof T]: T[Name] extends { readonly type: 'boolean' } ? boolean : string;
};

/**
 * A body with exactly these fields, as they were sent; '' for an optional one that is missing.
 * Errors: FIELD_INVALID, with the field.
 */
export function readFields<T extends FieldRules>(text: string, rules: T): Fields<T> {
  const values = parse(text);
  for (const name of values.keys())
    if (!Object.hasOwn(rules, name)) {
      const shown = /^\w{1,64}$/.test(name) ? `has no field '${name}'` : 'has a field that is not known';
      throw new CurfewError('FIELD_INVALID', { field: 'request', problem: shown });
    }
  const fields = Object.entries(rules).map(([field, rule]) => {
    const value = values.get(field);
    const problem = problemOf(value, rule);
    if (problem !== undefined) throw new CurfewError('FIELD_INVALID', { field, problem });
    return [field, value ?? ''] as const;
  });
  return Object.fromEntries(fields) as Fields<T>;
}

function problemOf(value: unknown, rule: FieldRule): string | undefined {
  if ('type' in rule) return typeof value === 'boolean' ? undefined : 'must be true or false';
  if (value === undefined || value === '') return rule.optional === true ? undefined : 'is required';
  if (typeof value !== 'string') return 'must be a text';
  return value.length > rule.max ? `must be at most ${rule.max} characters` : undefined;
}

function parse(text: string): Map<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text === '' ? '{}' : text);
  } catch {
    // What was sent may hold a password, so it is not repeated.
    throw new CurfewError('FIELD_INVALID', { field: 'request', problem: 'is not JSON' });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CurfewError('FIELD_INVALID', { field: 'request', problem: 'must be a JSON object' });
  return new Map(Object.entries(value));
}
