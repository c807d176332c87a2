import { createFileRegistry, fromBinary, type DescMessage } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { createValidator, type Validator, type Violation } from '@bufbuild/protovalidate';
import { descriptorSetPath } from '@curfew/proto';
import { CurfewError, hasUnsafeText } from '@curfew/shared';
import { readFileSync } from 'node:fs';

/** Fields that hold what people write; they are shown to other people, so nothing invisible may stand in them. */
const WRITTEN_BY_PEOPLE: ReadonlySet<string> = new Set(['reason', 'label', 'display_name', 'detail']);

/** Checks requests against the rules that stand in the schema itself. */
export class RequestRules {
  private readonly inputs = new Map<string, DescMessage>();
  private readonly validator: Validator = createValidator();

  constructor(readonly descriptorSet = readFileSync(descriptorSetPath)) {
    const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet));
    for (const type of registry)
      if (type.kind === 'service')
        for (const method of type.methods) this.inputs.set(`/${type.typeName}/${method.name}`, method.input);
  }

  /** Every method of the schema, by its path '/package.Service/Method'. */
  get methods(): string[] {
    return [...this.inputs.keys()];
  }

  /** Errors: FIELD_INVALID, with the field's path. */
  check(methodPath: string, bytes: Uint8Array): void {
    const input = this.inputs.get(methodPath);
    if (input === undefined)
      throw new CurfewError('FIELD_INVALID', { field: 'method', problem: `${methodPath} is not in the schema` });
    let message;
    try {
      message = fromBinary(input, bytes);
    } catch (cause) {
      throw new CurfewError(
        'FIELD_INVALID',
        { field: 'request', problem: 'it cannot be read as this method needs it' },
        { cause },
      );
    }
    const result = this.validator.validate(input, message);
    if (result.kind === 'invalid') throw fieldInvalid(result.violations);
    if (result.kind === 'error') throw result.error;
    for (const field of input.fields) {
      const value = (message as unknown as Record<string, unknown>)[field.localName];
      if (WRITTEN_BY_PEOPLE.has(field.name) && typeof value === 'string' && hasUnsafeText(value))
        throw new CurfewError('FIELD_INVALID', {
          field: field.name,
          problem: 'must not hold control or invisible characters',
        });
    }
  }
}

function fieldInvalid(violations: readonly Violation[]): CurfewError {
  const named = violations.map((violation) => {
    const path = violation.field
      .map((part) => ('name' in part ? part.name : part.kind === 'list_sub' ? String(part.index) : part.kind))
      .join('.');
    return { field: path === '' ? 'request' : path, problem: violation.message.replace(/\.$/, '') };
  });
  const [first] = named;
  const more = named.slice(1).map(({ field, problem }) => `; ${field}: ${problem}`);
  return new CurfewError('FIELD_INVALID', {
    field: first?.field ?? 'request',
    problem: (first?.problem ?? 'is not valid') + more.join(''),
  });
}
