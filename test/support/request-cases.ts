import {
  create,
  createFileRegistry,
  fromBinary,
  getOption,
  toBinary,
  type DescField,
  type DescMessage,
  type DescMethod,
  type Message,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { field as fieldRules, type FieldRules } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { RequestRules } from '@curfew/server';

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, new RequestRules().descriptorSet));

/** Every method of our own schema. */
export const curfewMethods = (): DescMethod[] =>
  [...registry].flatMap((type) => (type.kind === 'service' && type.typeName.startsWith('curfew.') ? type.methods : []));

/** A text that fits each pattern of the schema. */
const FITTING: Readonly<Record<string, string>> = {
  '^[a-z0-9-]{1,32}$': 'abc',
  '^[a-z0-9-]{0,32}$': 'abc',
  '^([0-9a-f]{64})?$': 'a'.repeat(64),
  '^[A-Z][A-Z_]{0,63}$': 'LEASE_REPLAYED',
  '^[0-9a-f]{32}$': 'a'.repeat(32),
  '^ses-[0-9a-z]{20}$': `ses-${'0'.repeat(20)}`,
  '^rec-[0-9a-z]{20}$': `rec-${'0'.repeat(20)}`,
  '^rel-[0-9a-z]{20}$': `rel-${'0'.repeat(20)}`,
  '^[0-9a-f]{64}$': 'a'.repeat(64),
  '^[0-9]{1,6}[.][0-9]{1,6}[.][0-9]{1,6}$': '1.2.3',
  '^([0-9]{1,6}[.][0-9]{1,6}[.][0-9]{1,6})?$': '1.2.3',
  '^([A-Z][A-Z_]{0,63})?$': 'RELEASE_DAMAGED',
  '^([a-z_][a-z0-9_-]{0,31})?$': 'root',
  '^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$': 'abc',
  '^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$': 'ops',
  '^([a-z][a-z0-9_]{0,31})?$': 'ldap',
  '^[UW][A-Z0-9]{2,30}$': 'U0123ABCDEF',
  '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$': 'abc',
  '^([01][0-9]|2[0-3]):[0-5][0-9]$': '08:00',
  '^[0-9]{6}$': '123456',
  '^([^@\\s\\x00-\\x1f]+@[^@\\s\\x00-\\x1f]+)?$': 'alice@example.com',
  '^[^\\x00-\\x1f\\x7f]*$': '/usr/bin/id',
};

/** A text that fits no pattern of the schema. */
const FITS_NOTHING = '\u0001 ?';

export const rulesOf = (field: DescField): FieldRules | undefined => {
  const rules = getOption(field, fieldRules);
  return !rules.required && rules.type.case === undefined ? undefined : rules;
};

type Values = Record<string, unknown>;

/** One wrong request: what is wrong with which field. */
export interface RequestCase {
  readonly method: DescMethod;
  /** The field as an error must name it, such as 'options.commands.0.argv'. */
  readonly field: string;
  readonly what: string;
  readonly bytes: Buffer;
}

/** Fields of a message that a caller may fill, through messages within messages, with the way that leads to each. */
export interface FieldPlace {
  readonly field: DescField;
  readonly way: readonly DescField[];
}

/** Every field that a method's request can hold. */
export function fieldPlaces(input: DescMessage, way: readonly DescField[] = []): FieldPlace[] {
  return input.fields.flatMap((field) => {
    const place = { field, way };
    const inner = field.message;
    const own = inner !== undefined && !inner.typeName.startsWith('google.protobuf.');
    return own ? [place, ...fieldPlaces(inner, [...way, field])] : [place];
  });
}

/** A request that keeps every rule, with every field set; of a oneof, the first or the wanted one. */
function fitting(desc: DescMessage, wanted: readonly DescField[] = []): Message {
  const message = create(desc);
  for (const field of desc.fields) {
    if (field.oneof !== undefined) {
      const which = field.oneof.fields.find((each) => wanted.includes(each)) ?? field.oneof.fields[0];
      if (which !== field) continue;
    }
    put(message, field, fittingValue(field, wanted));
  }
  return message;
}

function put(message: Message, field: DescField, value: unknown): void {
  const values = message as unknown as Values;
  if (field.oneof === undefined) values[field.localName] = value;
  else values[field.oneof.localName] = { case: field.localName, value };
}

function fittingValue(field: DescField, wanted: readonly DescField[]): unknown {
  const rules = rulesOf(field);
  if (field.fieldKind === 'map') return { site: 'vienna' };
  if (field.fieldKind !== 'list') return fittingItem(field, rules, wanted);
  return [fittingItem(field, rules?.type.case === 'repeated' ? rules.type.value.items : undefined, wanted)];
}

function fittingItem(field: DescField, rules: FieldRules | undefined, wanted: readonly DescField[]): unknown {
  if (field.message !== undefined) {
    if (field.message.typeName.startsWith('google.protobuf.'))
      return create(field.message, { seconds: leastSeconds(rules) });
    return fitting(field.message, wanted);
  }
  if (field.enum !== undefined) return field.enum.values[1]?.number ?? 0;
  const type = rules?.type;
  if (type?.case === 'string') {
    const { pattern } = type.value;
    if (pattern === '') return 'x'.repeat(Math.max(1, Number(type.value.minLen)));
    const text = FITTING[pattern];
    if (text === undefined) throw new Error(`no sample for the pattern ${pattern}`);
    return text;
  }
  if (type?.case === 'bytes') return new Uint8Array(Math.max(1, Number(type.value.minLen)));
  switch (field.scalar as number | undefined) {
    case 3: // INT64
      return 1n;
    case 5: // INT32
    case 13: // UINT32
      return 1;
    case 8: // BOOL
      return true;
    case 9: // STRING
      return 'x';
    case 12: // BYTES
      return Uint8Array.of(1);
    default:
      throw new Error(`no sample for ${field.name}`);
  }
}

/** The shortest time that a rule takes. */
function leastSeconds(rules: FieldRules | undefined): bigint {
  const least = rules?.type.case === 'duration' ? rules.type.value.greaterThan : undefined;
  return least?.case === 'gte' && least.value.seconds > 1n ? least.value.seconds : 1n;
}

/** Values that break one rule each. */
function breaking(field: DescField, rules: FieldRules): { what: string; value: unknown; inside?: string }[] {
  const found: { what: string; value: unknown; inside?: string }[] = [];
  if (rules.required) found.push({ what: 'is missing', value: undefined });
  const { type } = rules;
  switch (type.case) {
    case 'string':
      if (type.value.minLen > 0n) found.push({ what: 'is empty', value: '' });
      if (type.value.maxLen > 0n) found.push({ what: 'is too long', value: 'é'.repeat(Number(type.value.maxLen) + 1) });
      if (type.value.pattern !== '') found.push({ what: 'does not fit its pattern', value: FITS_NOTHING });
      break;
    case 'bytes':
      if (type.value.minLen > 0n) found.push({ what: 'is empty', value: new Uint8Array() });
      found.push({ what: 'is too long', value: new Uint8Array(Number(type.value.maxLen) + 1) });
      break;
    case 'enum':
      if (type.value.definedOnly) found.push({ what: 'is not in the schema', value: 999 });
      for (const value of type.value.notIn) found.push({ what: `is ${value}`, value });
      break;
    case 'int32':
    case 'int64': {
      const { greaterThan, lessThan } = type.value;
      const one = type.case === 'int64' ? 1n : 1;
      if (greaterThan.case === 'gte') found.push({ what: 'is too small', value: subtract(greaterThan.value, one) });
      if (lessThan.case === 'lte') found.push({ what: 'is too large', value: add(lessThan.value, one) });
      break;
    }
    case 'duration':
    case 'timestamp': {
      const { greaterThan, lessThan } = type.value as {
        greaterThan: { case?: string; value?: { seconds: bigint } };
        lessThan: { case?: string; value?: { seconds: bigint } };
      };
      const at = (seconds: bigint): Message => create(field.message!, { seconds });
      if (greaterThan.case === 'gte') found.push({ what: 'is too small', value: at(greaterThan.value!.seconds - 1n) });
      if (lessThan.case === 'lte') found.push({ what: 'is too large', value: at(lessThan.value!.seconds + 1n) });
      break;
    }
    case 'repeated': {
      const { minItems, maxItems, items } = type.value;
      const item = fittingItem(field, items, []);
      if (minItems > 0n) found.push({ what: 'has no item', value: [] });
      if (maxItems > 0n) found.push({ what: 'has too many items', value: new Array(Number(maxItems) + 1).fill(item) });
      if (items !== undefined)
        for (const { what, value } of breaking(field, items)) found.push({ what, value: [value], inside: '.0' });
      break;
    }
    default:
  }
  if (field.message?.typeName === 'google.protobuf.Duration')
    found.push({
      what: 'has parts that do not go together',
      value: create(field.message, { seconds: 60n, nanos: -1 }),
    });
  return found;
}

const add = (a: bigint | number, b: bigint | number): unknown =>
  typeof a === 'bigint' ? a + (b as bigint) : a + (b as number);
const subtract = (a: bigint | number, b: bigint | number): unknown =>
  typeof a === 'bigint' ? a - (b as bigint) : a - (b as number);

/** Every way to break one rule of a method's request. */
export function brokenRequests(method: DescMethod): RequestCase[] {
  return fieldPlaces(method.input).flatMap(({ field, way }) => {
    const rules = rulesOf(field);
    if (rules === undefined) return [];
    return breaking(field, rules).map(({ what, value, inside = '' }) => {
      const request = fitting(method.input, [...way, field]);
      let at = request as unknown as Values;
      const path: string[] = [];
      for (const step of way) {
        const held =
          step.oneof === undefined ? at[step.localName] : (at[step.oneof.localName] as { value: unknown }).value;
        path.push(step.name, ...(step.fieldKind === 'list' ? ['0'] : []));
        at = (step.fieldKind === 'list' ? (held as unknown[])[0] : held) as Values;
      }
      put(at as unknown as Message, field, value);
      const name = [...path, field.name].join('.') + inside;
      return { method, field: name, what, bytes: Buffer.from(toBinary(method.input, request)) };
    });
  });
}

/** A request of the method that keeps every rule. */
export const fittingRequest = (method: DescMethod): Buffer =>
  Buffer.from(toBinary(method.input, fitting(method.input)));

/** The method's path, as calls name it. */
export const pathOf = (method: DescMethod): string => `/${method.parent.typeName}/${method.name}`;

/** A request that keeps every rule of the schema, with a text in one of its own fields. */
export function requestWith(method: DescMethod, fieldName: string, text: string): Buffer {
  const request = fitting(method.input);
  const field = method.input.fields.find(({ name }) => name === fieldName);
  if (field === undefined) throw new Error(`${method.name} has no ${fieldName}`);
  put(request, field, text);
  return Buffer.from(toBinary(method.input, request));
}
