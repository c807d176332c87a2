import { CurfewError, type ErrorCode } from '@curfew/shared';
import type { ConnectorField, FieldValues } from '../connectors/connector-kind.js';

/** Where values stand in a message, and what is thrown when one is wrong. */
export interface FieldPlace {
  readonly code: Extract<ErrorCode, 'CONNECTOR_INVALID' | 'RESOURCE_INVALID'>;
  /** Such as 'settings', as in 'settings.url'. */
  readonly name: string;
}

/**
 * Values as a connector gets them: each field has one, its own, its default or ''. Checked as the kind says. Errors: that of
 * the place, with the field's path.
 */
export function checkedValues(
  fields: readonly ConnectorField[],
  given: Readonly<Record<string, string>>,
  place: FieldPlace,
): FieldValues {
  const invalid = (name: string, problem: string): CurfewError =>
    new CurfewError(place.code, { field: `${place.name}.${name}`, problem });
  for (const name of Object.keys(given))
    if (!fields.some((field) => field.name === name))
      throw invalid(name, `is not one of ${fields.map((field) => field.name).join(', ') || 'none that there are'}`);
  return Object.fromEntries(
    fields.map((field) => {
      const value = (Object.hasOwn(given, field.name) ? given[field.name] : undefined) ?? '';
      const problem = problemOf(field, value);
      if (problem !== undefined) throw invalid(field.name, problem);
      return [field.name, value === '' ? (field.defaultValue ?? '') : value];
    }),
  );
}

function problemOf(field: ConnectorField, value: string): string | undefined {
  if (value === '') return field.required === true && field.defaultValue === undefined ? 'is required' : undefined;
  if (field.choices !== undefined && !field.choices.includes(value)) return `is not one of ${field.choices.join(', ')}`;
  if (hasControl(value, field.multiline === true)) return 'has control characters';
  return field.problem?.(value);
}

/** Lines may be many where the field says so. */
function hasControl(text: string, multiline: boolean): boolean {
  for (const sign of text) {
    const code = sign.codePointAt(0) ?? 0;
    if ((code < 32 || code === 127) && !(multiline && (sign === '\n' || sign === '\r' || sign === '\t'))) return true;
  }
  return false;
}

/** The hosts that settings name, by the fields that do. */
export function hostsIn(values: FieldValues): { readonly field: string; readonly host: string }[] {
  return Object.entries(values).flatMap(([field, value]) => {
    if (value === '' || !isPlace(field)) return [];
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(value) && URL.canParse(value))
      return [{ field, host: new URL(value).hostname }];
    return /^(host|.*_host|server)$/.test(field) ? [{ field, host: value }] : [];
  });
}

/** Whether a setting says where the connector connects to. */
export const isPlace = (field: string): boolean => /^((.*_)?(url|host|endpoint|address)|server|port)$/.test(field);
