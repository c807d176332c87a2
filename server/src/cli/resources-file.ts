import { CurfewError } from '@curfew/shared/cli';
import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { z } from 'zod';

const text = z.union([z.string(), z.number().transform(String), z.boolean().transform(String)]);
const values = z.record(z.string(), text).default({});
const name = z.string().min(1).max(64);

/** Where a secret is: the file is not the place for it. */
const secret = z.union([z.strictObject({ file: z.string().min(1) }), z.strictObject({ env: z.string().min(1) })], {
  error: 'must be {file: PATH} or {env: NAME}: a secret does not belong in this file',
});

const connector = z.strictObject({
  name,
  kind: z.string().min(1),
  settings: values,
  secrets: z.record(z.string(), secret).default({}),
  disabled: z.boolean().default(false),
});

const resource = z.strictObject({
  name,
  description: z.string().default(''),
  connector: z.string().min(1),
  target: values,
  subjects: z.record(z.string(), z.string().min(1)).default({}),
  disabled: z.boolean().default(false),
});

const whole = z.strictObject({
  connectors: z.array(connector).default([]),
  resources: z.array(resource).default([]),
});

/** Connectors and resources as a file says them; secrets are still where they are. */
export type ResourcesFile = z.infer<typeof whole>;
export type FileConnector = ResourcesFile['connectors'][number];
export type FileResource = ResourcesFile['resources'][number];

const invalid = (problem: string): CurfewError => new CurfewError('FIELD_INVALID', { field: '--file', problem });

/** Reads a file's text. Errors: FIELD_INVALID, with the place in the file. */
export function parseResourcesFile(source: string): ResourcesFile {
  const document = parseDocument(source, { prettyErrors: true });
  const [broken] = document.errors;
  if (broken !== undefined) throw invalid(broken.message.split('\n')[0] ?? '');
  const parsed = whole.safeParse(document.toJS() ?? {});
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const place =
      issue?.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('') ?? '';
    throw invalid(`${place.replace(/^\./, '') || 'the file'}: ${issue?.message ?? 'is not valid'}`);
  }
  const { data } = parsed;
  for (const [what, named] of Object.entries(data)) {
    const keys = named.map((one) => one.name.toLowerCase());
    const twice = keys.find((key, at) => keys.indexOf(key) !== at);
    if (twice !== undefined) throw invalid(`${what}: '${twice}' is there twice`);
  }
  return data;
}

/** The secrets themselves, without the ends of their lines. Errors: FIELD_INVALID. */
export function readSecrets(
  { name: of, secrets }: FileConnector,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const read = (field: string, place: FileConnector['secrets'][string]): string => {
    const fail = (problem: string, cause?: unknown): CurfewError =>
      new CurfewError('FIELD_INVALID', { field: `connectors.${of}.secrets.${field}`, problem }, { cause });
    if ('env' in place) {
      const value = env[place.env];
      if (value === undefined || value === '') throw fail(`the variable ${place.env} is not set`);
      return value;
    }
    try {
      return readFileSync(place.file, 'utf8').replace(/\r?\n$/, '');
    } catch (cause) {
      throw fail(`${place.file} cannot be read`, cause);
    }
  };
  return Object.fromEntries(Object.entries(secrets).map(([field, place]) => [field, read(field, place)]));
}
