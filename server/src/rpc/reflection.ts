import { createFileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { ServerReflectionResponse, ServerReflectionService, type ServerReflectionRequest } from '@curfew/proto';
import { status, type Server, type ServerDuplexStream } from '@grpc/grpc-js';
import type { CallLimits } from './call-limits.js';
import { refusalOf } from './health.js';

type ResponsePart = Omit<Partial<ServerReflectionResponse>, 'validHost' | 'originalRequest'>;

/**
 * Server reflection over the compiled schema, for buf, grpcurl and the like. The schema is public, so no token is
 * asked for. The library for this generates code at run time, which the server forbids.
 */
export function addReflection(server: Server, descriptorSet: Uint8Array, limits: CallLimits): void {
  const answer = reflector(descriptorSet);
  server.addService(ServerReflectionService, {
    serverReflectionInfo: (call: ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse>) => {
      call.on('data', (request: ServerReflectionRequest) => {
        const refusal = refusalOf(limits, call.getPeer());
        if (refusal !== undefined) {
          call.emit('error', refusal);
          return;
        }
        call.write(
          ServerReflectionResponse.fromPartial({
            validHost: request.host,
            originalRequest: request,
            ...answer(request),
          }),
        );
      });
      call.on('end', () => {
        call.end();
      });
    },
  });
}

function reflector(descriptorSet: Uint8Array): (request: ServerReflectionRequest) => ResponsePart {
  const set = fromBinary(FileDescriptorSetSchema, descriptorSet);
  const registry = createFileRegistry(set);
  const files = new Map(set.file.map((file) => [file.name, file]));
  const withImports = (name: string, found = new Map<string, Buffer>()): Map<string, Buffer> => {
    const file = files.get(name);
    if (file === undefined || found.has(name)) return found;
    found.set(name, Buffer.from(toBinary(FileDescriptorProtoSchema, file)));
    for (const imported of file.dependency) withImports(imported, found);
    return found;
  };
  const fileOf = (symbol: string): string | undefined => {
    const name = (registry.get(symbol) ?? registry.get(symbol.slice(0, symbol.lastIndexOf('.'))))?.file.proto.name;
    return name;
  };
  return ({ messageRequest }) => {
    if (messageRequest?.$case === 'listServices') {
      const service = [...registry]
        .filter((type) => type.kind === 'service')
        .map(({ typeName }) => ({ name: typeName }));
      return { messageResponse: { $case: 'listServicesResponse', value: { service } } };
    }
    const name =
      messageRequest?.$case === 'fileByFilename'
        ? messageRequest.value
        : messageRequest?.$case === 'fileContainingSymbol'
          ? fileOf(messageRequest.value)
          : undefined;
    if (name !== undefined && files.has(name))
      return {
        messageResponse: {
          $case: 'fileDescriptorResponse',
          value: { fileDescriptorProto: [...withImports(name).values()] },
        },
      };
    const value = { errorCode: status.NOT_FOUND, errorMessage: 'not in the schema' };
    return { messageResponse: { $case: 'errorResponse', value } };
  };
}
