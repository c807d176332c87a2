import { formatDuration, parseDuration } from '@curfew/shared/browser';
import { durationFromProto, durationToProto } from '../../model/proto-json.js';

/** Something in a file of policies, or in the API's JSON: both are read without trust. */
export type Values = Readonly<Record<string, unknown>>;

/** What is wrong in a file, and where: 'steps.0.approvals'. */
export interface FormProblem {
  readonly path: string;
  readonly problem: string;
}

/** A shape turns a value of a file into one of the API's JSON and back. Undefined stands for what is not set. */
export interface Shape {
  readonly read: (value: unknown, path: string, problems: FormProblem[]) => unknown;
  readonly write: (value: unknown) => unknown;
}

/** Notes a problem; what is read there counts as not set. */
const wrong = (problems: FormProblem[], path: string, problem: string): Values | undefined => {
  problems.push({ path, problem });
  return undefined;
};

const same = (value: unknown): unknown => value;

/** A line of text. */
export const text: Shape = {
  read: (value, path, problems) => (typeof value === 'string' ? value : wrong(problems, path, 'must be a text')),
  write: (value) => (value === '' ? undefined : value),
};

/** Yes or no. */
export const flag: Shape = {
  read: (value, path, problems) =>
    typeof value === 'boolean' ? value : wrong(problems, path, 'must be true or false'),
  write: (value) => (value === true ? true : undefined),
};

/** A whole number of at least `least`. */
export const count = (least: number): Shape => ({
  read: (value, path, problems) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= least
      ? value
      : wrong(problems, path, `must be a whole number of at least ${least}`),
  write: (value) => (value === 0 ? undefined : value),
});

/** A length of time, '30m' in a file. */
export const duration: Shape = {
  read: (value, path, problems) => {
    const ms = typeof value === 'string' ? parseDuration(value) : undefined;
    return ms === undefined ? wrong(problems, path, "is no duration, such as '30m' or '1h30m'") : durationToProto(ms);
  },
  write: (value) => {
    const ms = typeof value === 'string' ? durationFromProto(value) : undefined;
    return ms === undefined || ms === 0 ? undefined : formatDuration(ms);
  },
};

/** One of a few words; the API spells them with a prefix. */
export const word = (prefix: string, words: readonly string[]): Shape => ({
  read: (value, path, problems) =>
    typeof value === 'string' && words.includes(value)
      ? `${prefix}${value.toUpperCase()}`
      : wrong(problems, path, `must be one of: ${words.join(', ')}`),
  write: (value) => words.find((one) => `${prefix}${one.toUpperCase()}` === value),
});

/** The same, with a further word that stands for what is not set. */
export const wordOrNone = (prefix: string, words: readonly string[], none: string): Shape => ({
  read: (value, path, problems) =>
    value === none
      ? undefined
      : typeof value === 'string' && words.includes(value)
        ? `${prefix}${value.toUpperCase()}`
        : wrong(problems, path, `must be one of: ${[none, ...words].join(', ')}`),
  write: word(prefix, words).write,
});

/** Several of one shape. */
export const list = (of: Shape): Shape => ({
  read: (value, path, problems) =>
    Array.isArray(value)
      ? value.map((item, index) => of.read(item, `${path}.${index}`, problems))
      : wrong(problems, path, 'must be a list'),
  write: (value) => (Array.isArray(value) && value.length > 0 ? value.map((item) => of.write(item)) : undefined),
});

/** Names and values that are both text. */
export const labels: Shape = {
  read: (value, path, problems) =>
    isValues(value) && Object.values(value).every((one) => typeof one === 'string')
      ? value
      : wrong(problems, path, 'must be names with texts, such as env: production'),
  write: (value) => (isValues(value) && Object.keys(value).length > 0 ? value : undefined),
};

/** A command line: a list of texts in a file. */
export const command: Shape = {
  read: (value, path, problems) =>
    Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === 'string')
      ? { argv: value }
      : wrong(problems, path, 'must be a list of texts, the first an absolute path'),
  write: (value) => (isValues(value) ? same(value['argv']) : undefined),
};

/** Each field of an object: how the file spells it, how the API does, and its shape. */
export type Fields = readonly (readonly [inFile: string, inApi: string, shape: Shape])[];

/** An object with just these fields. `kept` says that it means something when it is empty. */
export const object = (fields: Fields, kept = false): Shape => ({
  read: (value, path, problems) => readFields(fields, value, path, problems),
  write: (value) => {
    const written = writeFields(fields, value);
    return kept ? (isValues(value) ? written : undefined) : Object.keys(written).length > 0 ? written : undefined;
  },
});

/** Reads the fields of an object of a file; what is not set is left out, and what nobody knows is a problem. */
export function readFields(fields: Fields, value: unknown, path: string, problems: FormProblem[]): Values | undefined {
  if (!isValues(value)) return wrong(problems, path, 'must be an object');
  const inside = (name: string): string => (path === '' ? name : `${path}.${name}`);
  for (const name of Object.keys(value))
    if (!fields.some(([inFile]) => inFile === name)) wrong(problems, inside(name), 'there is no such key');
  return Object.fromEntries(
    fields.flatMap(([inFile, inApi, shape]) => {
      const given = value[inFile];
      if (given === undefined || given === null) return [];
      const read = shape.read(given, inside(inFile), problems);
      return read === undefined ? [] : [[inApi, read]];
    }),
  );
}

/** Writes the fields of an object of the API, without what is not set. */
export function writeFields(fields: Fields, value: unknown): Values {
  if (!isValues(value)) return {};
  return Object.fromEntries(
    fields.flatMap(([inFile, inApi, shape]) => {
      const written = shape.write(value[inApi]);
      return written === undefined ? [] : [[inFile, written]];
    }),
  );
}

/** Whether it is an object with names and values. */
export const isValues = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
