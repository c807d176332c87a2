import type { MethodDefinition } from '@grpc/grpc-js';

const asIs = (bytes: Buffer): Buffer => bytes;

const method = (name: string, stream: boolean) =>
  ({
    path: `/bench.Bare/${name}`,
    requestStream: stream,
    responseStream: stream,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  }) satisfies MethodDefinition<Buffer, Buffer>;

/** What the bare server speaks: bytes without a meaning. */
export const BARE_SERVICE = {
  /** A link that stays open. */
  link: method('Link', true),
  /** Sends the request to every link; answered when each of them has answered. */
  fanOut: method('FanOut', false),
} as const;

/** How a link is kept, as an agent keeps its own. */
export const BARE_OPTIONS = {
  'grpc.ssl_target_name_override': 'curfew-server',
  'grpc.default_authority': 'curfew-server',
  'grpc.keepalive_time_ms': 4_000,
  'grpc.keepalive_timeout_ms': 4_000,
};
