import type { ConnectorFieldJson, ConnectorKindJson, ResourceJson } from '../../gen/api.js';
import { fieldError } from '../../api/api-error.js';

/** What was typed, by the names of a kind's fields. */
export type Values = Readonly<Record<string, string>>;

/** Where a field stands in what is sent: it is part of the name that a refusal gives it. */
export type Section = 'settings' | 'secrets' | 'target';

/** The fields of a connector's kind, and what each of them is filled with. */
export const settingsOf = (kind: ConnectorKindJson | undefined): readonly ConnectorFieldJson[] =>
  (kind?.settings ?? []).filter(({ secret }) => secret !== true);
export const secretsOf = (kind: ConnectorKindJson | undefined): readonly ConnectorFieldJson[] =>
  (kind?.settings ?? []).filter(({ secret }) => secret === true);

/** What is sent: without what is empty, and without fields that another kind has. */
export function sentValues(fields: readonly ConnectorFieldJson[], values: Values): Record<string, string> {
  return Object.fromEntries(
    fields.flatMap(({ name = '', multiline }) => {
      const value = values[name] ?? '';
      const text = multiline === true ? value : value.trim();
      return text === '' ? [] : [[name, text]];
    }),
  );
}

/** Whether every field that must be given is. `kept` names secrets that stay as they are. */
export const isFilled = (
  fields: readonly ConnectorFieldJson[],
  values: Values,
  kept: readonly string[] = [],
): boolean =>
  fields.every(
    ({ name = '', required, choices = [] }) =>
      required !== true || choices.length > 0 || kept.includes(name) || (values[name] ?? '').trim() !== '',
  );

/** The values to begin with: what was given, and for a field that must be one of several the first of them. */
export function firstValues(fields: readonly ConnectorFieldJson[], given: Values | undefined): Values {
  const chosen = fields.flatMap(({ name = '', required, choices = [], defaultValue = '' }) =>
    required === true && defaultValue === '' && choices[0] !== undefined ? [[name, choices[0]] as const] : [],
  );
  return { ...Object.fromEntries(chosen), ...given };
}

/** What was refused at a field, whether the server names it inside of what is sent or not. */
export const refusalAt = (error: Error | null, whole: 'connector' | 'resource', field: string): string | undefined =>
  fieldError(error, field) ?? fieldError(error, `${whole}.${field}`) ?? fieldError(error, `candidate.${field}`);

type Subjects = NonNullable<ResourceJson['subjects']>;

/** One a line: 'carol = carol_ro'. */
export const subjectsText = (subjects: Subjects | undefined): string =>
  (subjects ?? []).map(({ user = '', subject = '' }) => `${user} = ${subject}`).join('\n');

/** Reads what subjectsText writes; a string says which line is wrong. A distinguished name has '=' in it as well. */
export function subjectsFromText(text: string): Subjects | string {
  const subjects: Subjects = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const at = line.indexOf('=');
    const user = line.slice(0, Math.max(0, at)).trim();
    const subject = line.slice(at + 1).trim();
    if (at < 0 || user === '' || subject === '') return `Line ${index + 1}: write it as user = name there.`;
    subjects.push({ user, subject });
  }
  return subjects;
}

/** What a resource gives, in a few words: what it must name in its connector. Ids of devices are left out. */
export function targetText({ target = {} }: ResourceJson, kind: ConnectorKindJson | undefined): string {
  const needed = (kind?.target ?? []).flatMap(({ name = '', required }) => (required === true ? [name] : []));
  const values = needed.length === 0 ? Object.values(target) : needed.map((name) => target[name] ?? '');
  return values.filter((value) => value !== '' && !isDeviceId(value)).join(', ');
}

/** Whether the text is a device's id. */
export const isDeviceId = (text: string): boolean => /^dev-[0-9a-z]{20}$/.test(text);

/** Whether a kind needs no connector: an agent gives what it is about. */
export const isOwnWay = ({ settings = [] }: ConnectorKindJson): boolean => settings.length === 0;
