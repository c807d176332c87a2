import {
  createFileRegistry,
  fromBinary,
  fromJsonString,
  toBinary,
  toJson,
  type DescMessage,
  type JsonValue,
  type Message,
} from '@bufbuild/protobuf';
import { isFieldError } from '@bufbuild/protobuf/reflect';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { createValidator, type Validator, type Violation } from '@bufbuild/protovalidate';
import { descriptorSetPath } from '@curfew/proto';
import { CurfewError, hasUnsafeText } from '@curfew/shared';
import { readFileSync } from 'node:fs';
import { violationText } from './violation-text.js';

/** Fields that hold what people write; they are shown to other people, so nothing invisible may stand in them. */
const WRITTEN_BY_PEOPLE: ReadonlySet<string> = new Set(['reason', 'ticket', 'label', 'display_name', 'detail']);

/** Checks requests against the rules that stand in the schema itself. */
export class RequestRules {
  private readonly inputs = new Map<string, DescMessage>();
  private readonly outputs = new Map<string, DescMessage>();
  private readonly validator: Validator = createValidator();

  constructor(readonly descriptorSet = readFileSync(descriptorSetPath)) {
    const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet));
    for (const type of registry)
      if (type.kind === 'service')
        for (const method of type.methods) {
          this.inputs.set(`/${type.typeName}/${method.name}`, method.input);
          this.outputs.set(`/${type.typeName}/${method.name}`, method.output);
        }
  }

  /** Every method of the schema, by its path '/package.Service/Method'. */
  get methods(): string[] {
    return [...this.inputs.keys()];
  }

  /**
   * The request's bytes, written anew from what was checked: another reader of the wire, which takes repeated or unknown
   * fields another way, can then see nothing else. Errors: FIELD_INVALID, with the field's path.
   */
  check(methodPath: string, bytes: Uint8Array): Uint8Array {
    return this.read(methodPath, (input) => fromBinary(input, bytes, { readUnknownFields: false }));
  }

  /** The bytes of a request in proto-JSON, checked by the same rules. Errors: FIELD_INVALID, with the field's path. */
  checkJson(methodPath: string, text: string): Uint8Array {
    return this.read(methodPath, (input) => {
      try {
        return fromJsonString(input, text);
      } catch (cause) {
        throw unreadableJson(cause);
      }
    });
  }

  /** An answer's bytes as proto-JSON. */
  answerToJson(methodPath: string, bytes: Uint8Array): JsonValue {
    const output = this.outputs.get(methodPath);
    if (output === undefined) throw new Error(`${methodPath} is not in the schema`);
    return toJson(output, fromBinary(output, bytes));
  }

  private read(methodPath: string, parse: (input: DescMessage) => Message): Uint8Array {
    const input = this.inputs.get(methodPath);
    if (input === undefined)
      throw new CurfewError('FIELD_INVALID', { field: 'method', problem: `${methodPath} is not in the schema` });
    let message: Message;
    try {
      message = parse(input);
    } catch (cause) {
      if (cause instanceof CurfewError) throw cause;
      throw new CurfewError(
        'FIELD_INVALID',
        { field: 'request', problem: 'cannot be read as this method needs it' },
        { cause },
      );
    }
    this.checkRules(input, message);
    return toBinary(input, message);
  }

  private checkRules(input: DescMessage, message: Message): void {
    checkDurations(input, message, '');
    const result = this.validator.validate(input, message);
    if (result.kind === 'invalid') throw fieldInvalid(result.violations);
    if (result.kind === 'error') throw result.error;
    for (const field of input.fields) {
      const value = (message as unknown as Record<string, unknown>)[field.localName];
      if (!WRITTEN_BY_PEOPLE.has(field.name) || typeof value !== 'string' || value === '') continue;
      const problem = hasUnsafeText(value)
        ? 'must not hold control or invisible characters'
        : value.trim() === ''
          ? 'must not be blank'
          : undefined;
      if (problem !== undefined) throw new CurfewError('FIELD_INVALID', { field: field.name, problem });
    }
  }
}

/** What cannot be read, with the field if that is known. What was sent is not repeated: it may be a secret. */
function unreadableJson(cause: unknown): CurfewError {
  const inner = cause instanceof Error ? cause.cause : undefined;
  const field = isFieldError(inner) ? inner.field().name : 'request';
  const unknown = /key "([A-Za-z0-9_]{1,64})" is unknown$/.exec(cause instanceof Error ? cause.message : '')?.[1];
  const problem = unknown === undefined ? 'cannot be read as this method needs it' : `has no field '${unknown}'`;
  return new CurfewError('FIELD_INVALID', { field, problem });
}

/** How many problems an error tells of: it travels in headers, which have no room for hundreds. */
const MOST_TOLD = 10;

const DURATION = 'google.protobuf.Duration';

/** A duration's two parts must agree (duration.proto): a rule looks at their sum only. Errors: FIELD_INVALID. */
function checkDurations(desc: DescMessage, message: Message, path: string): void {
  const values = message as unknown as Readonly<Record<string, unknown>>;
  for (const field of desc.fields) {
    if (field.message === undefined) continue;
    const held =
      field.oneof === undefined ? values[field.localName] : chosen(values[field.oneof.localName], field.localName);
    const items = field.fieldKind === 'list' ? (held as Message[]) : [held as Message | undefined];
    for (const [index, value] of items.entries()) {
      if (value === undefined) continue;
      const name = path + field.name + (field.fieldKind === 'list' ? `.${index}` : '');
      if (field.message.typeName === DURATION) checkDuration(value, name);
      else checkDurations(field.message, value, `${name}.`);
    }
  }
}

const chosen = (oneof: unknown, name: string): unknown => {
  const { case: which, value } = oneof as { readonly case?: string; readonly value?: unknown };
  return which === name ? value : undefined;
};

function checkDuration(value: Message, field: string): void {
  const { seconds, nanos } = value as unknown as { readonly seconds: bigint; readonly nanos: number };
  const [least, most] =
    seconds > 0n ? [0, 999_999_999] : seconds < 0n ? [-999_999_999, 0] : [-999_999_999, 999_999_999];
  if (nanos < least || nanos > most)
    throw new CurfewError('FIELD_INVALID', {
      field,
      problem: 'is not a duration: its nanos do not go with its seconds',
    });
}

function fieldInvalid(violations: readonly Violation[]): CurfewError {
  const named = violations.map((violation) => {
    const path = violation.field
      .map((part) => {
        if ('name' in part) return part.name;
        return part.kind === 'list_sub' ? String(part.index) : String(part.key);
      })
      .join('.');
    return { field: path === '' ? 'request' : path, problem: violationText(violation) };
  });
  const [first] = named;
  const more = named.slice(1, MOST_TOLD).map(({ field, problem }) => `; ${field}: ${problem}`);
  return new CurfewError('FIELD_INVALID', {
    field: first?.field ?? 'request',
    problem: (first?.problem ?? 'is not valid') + more.join(''),
  });
}
