import { readFileSync } from 'node:fs';
import {
  createFileRegistry,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { loadFileDescriptorSetFromBuffer, type MethodDefinition } from '@grpc/proto-loader';
import type { Command } from 'commander';
import { descriptorSetPath } from '@curfew/proto';
import { outputOf, printOne, printStreamed, usageError } from '@curfew/shared/cli';
import { interrupted } from './interrupt.js';
import { withServer, type Method } from './server-connection.js';
import type { ToolContext } from './tool-context.js';

/** One method as it can be called with JSON. */
interface JsonMethod {
  /** 'curfew.admin.v1.SessionService/ListSessions'. */
  readonly name: string;
  readonly definition: MethodDefinition<object, object>;
  readonly input: DescMessage;
  readonly output: DescMessage;
}

/** `call SERVICE/METHOD [JSON]`: any unary or server-streaming method, by the schema alone. */
export async function call(
  context: ToolContext,
  command: Command,
  wanted: string | undefined,
  json: string | undefined,
): Promise<void> {
  const methods = loadMethods();
  const { format } = outputOf(command);
  if (wanted === undefined) {
    const names = methods.map(({ name }) => name).sort();
    await printOne(context, format, { json: names, text: () => `${names.join('\n')}\n` });
    return;
  }
  const method = findMethod(command, methods, wanted);
  const body = parseBody(command, method, json === '-' ? await readAll(context) : (json ?? '{}'));
  const callable: Method<Uint8Array, JsonValue> = {
    path: method.definition.path,
    requestSerialize: (bytes) => Buffer.from(bytes),
    responseDeserialize: (bytes) => toJson(method.output, fromBinary(method.output, bytes)),
  };
  await withServer(context, command, async (server) => {
    if (!method.definition.responseStream) {
      const answer = await server.unary(callable, body);
      await printOne(context, format === 'table' ? 'json' : format, { json: answer, text: () => '' });
      return;
    }
    for await (const answer of server.stream(callable, body, interrupted()))
      await printStreamed(context, format === 'yaml' ? 'yaml' : 'jsonl', answer);
  });
}

/** Every method for operators. The JSON mapping is the one of Protocol Buffers, which proto-loader's objects are not. */
function loadMethods(): JsonMethod[] {
  const bytes = readFileSync(descriptorSetPath);
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
  return Object.entries(loadFileDescriptorSetFromBuffer(bytes)).flatMap(([service, definition]) => {
    const descriptor = registry.getService(service);
    if (descriptor === undefined || !service.startsWith('curfew.admin.')) return [];
    return descriptor.methods.flatMap((method) => {
      const found = (definition as Record<string, MethodDefinition<object, object> | undefined>)[method.name];
      if (found === undefined || found.requestStream) return [];
      return [{ name: `${service}/${method.name}`, definition: found, input: method.input, output: method.output }];
    });
  });
}

function findMethod(command: Command, methods: readonly JsonMethod[], wanted: string): JsonMethod {
  const typed = wanted.replace(/^\//, '').replace(/\.([A-Za-z]+)$/, '/$1');
  const found = methods.filter(({ name }) => name === typed || name.endsWith(`.${typed}`));
  const [only] = found;
  if (only === undefined)
    usageError(command, `there is no method '${wanted}'; 'curfewctl call' without arguments lists them`);
  if (found.length > 1)
    usageError(command, `'${wanted}' fits ${found.map(({ name }) => name).join(' and ')}; write the whole name`);
  return only;
}

function parseBody(command: Command, method: JsonMethod, text: string): Uint8Array {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (error) {
    usageError(command, `the body is not JSON: ${(error as Error).message}`);
  }
  try {
    return toBinary(method.input, fromJson(method.input, value));
  } catch (error) {
    usageError(command, `the body is not a ${method.input.name}: ${(error as Error).message}`);
  }
}

async function readAll({ stdin }: ToolContext): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}
