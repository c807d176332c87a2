import {
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  HealthListResponse,
  HealthService,
} from '@curfew/proto';
import {
  status,
  type sendUnaryData,
  type Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type StatusObject,
} from '@grpc/grpc-js';
import type { Ledger } from '../ledger/ledger.js';
import type { CallLimits } from './call-limits.js';

type HealthRequest = { readonly service: string };

/** The standard health service (grpc.health.v1), for probes of others. The whole server has one state: that of its ledger. */
export function addHealth(server: Server, limits: CallLimits, ledger: Pick<Ledger, 'problem'>): void {
  const serving = (): HealthCheckResponse => {
    const { SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus;
    return HealthCheckResponse.fromPartial({ status: ledger.problem === '' ? SERVING : NOT_SERVING });
  };
  const unknown = HealthCheckResponse.fromPartial({ status: HealthCheckResponse_ServingStatus.SERVICE_UNKNOWN });
  server.addService(HealthService, {
    check: (
      call: ServerUnaryCall<HealthRequest, HealthCheckResponse>,
      callback: sendUnaryData<HealthCheckResponse>,
    ) => {
      const refusal = refusalOf(limits, call.getPeer());
      if (refusal !== undefined) callback(refusal);
      else if (call.request.service === '') callback(null, serving());
      else callback({ code: status.NOT_FOUND, details: 'unknown service' });
    },
    list: (call: ServerUnaryCall<unknown, HealthListResponse>, callback: sendUnaryData<HealthListResponse>) => {
      const refusal = refusalOf(limits, call.getPeer());
      if (refusal !== undefined) callback(refusal);
      else callback(null, HealthListResponse.fromPartial({ statuses: { '': serving() } }));
    },
    // Whoever wants to know of a ledger that is away asks again; the end of the stream tells the rest.
    watch: (call: ServerWritableStream<HealthRequest, HealthCheckResponse>) => {
      call.write(call.request.service === '' ? serving() : unknown);
    },
  });
}

/** Why a call of nobody in particular is not answered: there were too many from its address. */
export function refusalOf(limits: CallLimits, peer: string): Partial<StatusObject> | undefined {
  try {
    limits.countAnybody(peer);
    return undefined;
  } catch (error) {
    return { code: status.RESOURCE_EXHAUSTED, details: (error as Error).message };
  }
}
