export * from './gen/curfew/types/v1/audit.js';
export * from './gen/curfew/types/v1/device.js';
export * from './gen/curfew/types/v1/grant.js';
export * from './gen/curfew/types/v1/notification.js';
export * from './gen/curfew/types/v1/policy.js';
export * from './gen/curfew/types/v1/recording.js';
export * from './gen/curfew/types/v1/release.js';
export * from './gen/curfew/types/v1/request.js';
export * from './gen/curfew/types/v1/resource.js';
export * from './gen/curfew/types/v1/session.js';
export * from './gen/curfew/types/v1/user.js';
export * from './gen/curfew/agent/v1/enrollment_service.js';
export * from './gen/curfew/agent/v1/link_service.js';
export * from './gen/curfew/admin/v1/access_service.js';
export * from './gen/curfew/admin/v1/audit_service.js';
export * from './gen/curfew/admin/v1/device_service.js';
export * from './gen/curfew/admin/v1/notification_service.js';
export * from './gen/curfew/admin/v1/policy_service.js';
export * from './gen/curfew/admin/v1/recording_service.js';
export * from './gen/curfew/admin/v1/release_service.js';
export * from './gen/curfew/admin/v1/request_service.js';
export * from './gen/curfew/admin/v1/resource_service.js';
export * from './gen/curfew/admin/v1/server_service.js';
export * from './gen/curfew/admin/v1/session_service.js';
export * from './gen/curfew/admin/v1/sign_in_service.js';
export * from './gen/curfew/admin/v1/user_service.js';
export * from './gen/curfew/local/v1/local_service.js';
export {
  ServerReflectionResponse,
  ServerReflectionService,
  type ServerReflectionRequest,
} from './gen/grpc/reflection/v1/reflection.js';
export {
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  HealthListResponse,
  HealthService,
} from './gen/grpc/health/v1/health.js';
export { Duration } from './gen/google/protobuf/duration.js';
export { descriptorSetPath } from './descriptor-set.js';
