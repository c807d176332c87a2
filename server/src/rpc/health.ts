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
} from '@grpc/grpc-js';

type HealthRequest = { readonly service: string };

/** The standard health service (grpc.health.v1), for probes of others. The whole server has one state: it serves. */
export function addHealth(server: Server): void {
  const serving = HealthCheckResponse.fromPartial({ status: HealthCheckResponse_ServingStatus.SERVING });
  const unknown = HealthCheckResponse.fromPartial({ status: HealthCheckResponse_ServingStatus.SERVICE_UNKNOWN });
  server.addService(HealthService, {
    check: (
      call: ServerUnaryCall<HealthRequest, HealthCheckResponse>,
      callback: sendUnaryData<HealthCheckResponse>,
    ) => {
      if (call.request.service === '') callback(null, serving);
      else callback({ code: status.NOT_FOUND, details: 'unknown service' });
    },
    list: (_: unknown, callback: sendUnaryData<HealthListResponse>) => {
      callback(null, HealthListResponse.fromPartial({ statuses: { '': serving } }));
    },
    // The answer never changes while the server lives, and the end of the stream tells the rest.
    watch: (call: ServerWritableStream<HealthRequest, HealthCheckResponse>) => {
      call.write(call.request.service === '' ? serving : unknown);
    },
  });
}
