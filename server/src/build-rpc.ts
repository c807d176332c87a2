import {
  AccessServiceService,
  AuditServiceService,
  DeviceServiceService,
  EnrollmentServiceService,
  LinkServiceService,
  NotificationServiceService,
  PolicyServiceService,
  RecordingServiceService,
  ReleaseServiceService,
  RequestServiceService,
  ResourceServiceService,
  ServerServiceService,
  SessionServiceService,
  SignInServiceService,
  UserServiceService,
} from '@curfew/proto';
import { DAY, type Clock, type Logger, type Random } from '@curfew/shared';
import { Server } from '@grpc/grpc-js';
import { DeviceResources } from './access/device-resources.js';
import { MyAccess } from './access/my-access.js';
import { AuditLog } from './audit/audit-log.js';
import type { Config } from './config/config.js';
import { Devices } from './devices/devices.js';
import { JoinTokens } from './devices/join-tokens.js';
import { LinkHub } from './link/link-hub.js';
import { linkHandlers } from './link/link-service.js';
import { type Notifications } from './notifiers/start-notifications.js';
import { CertificateAuthority } from './pki/certificate-authority.js';
import { type ServerKeys } from './pki/server-keys.js';
import { Overview } from './overview/overview.js';
import { Policies } from './policies/policies.js';
import type { Recordings } from './recordings/recordings.js';
import { type OpenReleases } from './releases/open-releases.js';
import { Requests } from './requests/requests.js';
import { CallLimits } from './rpc/call-limits.js';
import { addHealth } from './rpc/health.js';
import { addReflection } from './rpc/reflection.js';
import { RequestRules } from './rpc/request-rules.js';
import { ServiceHost, type ServiceHostOptions } from './rpc/service-host.js';
import { accessHandlers } from './rpc/services/access-handlers.js';
import { auditHandlers } from './rpc/services/audit-handlers.js';
import { deviceHandlers, enrollmentHandlers } from './rpc/services/device-handlers.js';
import { serverHandlers } from './rpc/services/server-handlers.js';
import { notificationHandlers } from './rpc/services/notification-handlers.js';
import { policyHandlers } from './rpc/services/policy-handlers.js';
import { recordingHandlers } from './rpc/services/recording-handlers.js';
import { releaseHandlers } from './rpc/services/release-handlers.js';
import { resourceHandlers } from './rpc/services/resource-handlers.js';
import { requestHandlers } from './rpc/services/request-handlers.js';
import { signInHandlers } from './rpc/services/sign-in-handlers.js';
import { sessionHandlers } from './rpc/services/session-handlers.js';
import { userHandlers } from './rpc/services/user-handlers.js';
import { SessionChanges } from './sessions/session-changes.js';
import { Sessions } from './sessions/sessions.js';
import { type OpenTimedAccess } from './timed-access/open-timed-access.js';
import { type SignInParts } from './sign-in/sign-in-parts.js';
import { ApiTokens } from './users/api-tokens.js';
import type { UseCaseContext } from './use-case-context.js';
import { Users } from './users/users.js';

/** Everything that the server does, by noun. */
export function buildUseCases(context: UseCaseContext, ca: CertificateAuthority, logger: Logger) {
  return {
    context,
    ledger: context.ledger,
    users: new Users(context),
    tokens: new ApiTokens(context),
    devices: new Devices(context),
    requests: new Requests(context),
    sessions: new Sessions(context),
    changes: new SessionChanges(context, logger),
    policies: new Policies(context),
    access: new MyAccess(context),
    joinTokens: new JoinTokens(context, ca.fingerprint),
  };
}

/** What the API is put together from. */
export type RpcParts = ReturnType<typeof buildUseCases> & {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly signIn: SignInParts;
  readonly hub: LinkHub;
  readonly recordings: Recordings;
  readonly updates: OpenReleases;
  readonly notifications: Notifications;
  readonly timedAccess: OpenTimedAccess;
  readonly ca: CertificateAuthority;
  readonly keys: ServerKeys;
  readonly auditLog: AuditLog;
  readonly limits: CallLimits;
  readonly doors: Pick<ServiceHostOptions, 'identified' | 'settled'>;
};

/** What an operator watches on an old connection goes on for so long. */
const OLD_CONNECTION_MS = DAY / 2;

/** How long a client keeps to one connection. What is open on it then goes on; what begins after it is on a new one. */
const connectionAge = ({ connectionAgeMs: age }: Config) =>
  age === undefined ? {} : { 'grpc.max_connection_age_ms': age, 'grpc.max_connection_age_grace_ms': OLD_CONNECTION_MS };

/** The gRPC server with every service behind one door. */
export function buildRpc(parts: RpcParts): {
  readonly server: Server;
  readonly host: ServiceHost;
  readonly rules: RequestRules;
} {
  const {
    context,
    ledger,
    users,
    tokens,
    devices,
    requests,
    sessions,
    changes,
    recordings,
    updates,
    policies,
    access,
    joinTokens,
    signIn,
    notifications,
    timedAccess,
    hub,
    ca,
    keys,
    auditLog,
    config,
    clock,
    random,
    logger,
    limits,
    doors,
  } = parts;
  // HTTP/2 pings find a half-open link within 8 s.
  const server = new Server({
    'grpc.keepalive_time_ms': 4_000,
    'grpc.keepalive_timeout_ms': 4_000,
    // A megabyte of a recording's events, and what is known of it.
    'grpc.max_receive_message_length': 1_310_720,
    'grpc.max_concurrent_streams': 256,
    ...connectionAge(config),
  });
  const rules = new RequestRules();
  const known = { devices, tokens, signIns: signIn.signIns, measures: context.measures, tracing: context.tracing };
  const host = new ServiceHost({ ...known, ...doors, rules, limits, clock, logger, random });
  const { certificateLifeMs, passwordRequired } = config;
  const deviceParts = { ledger, devices, joinTokens, hub, ca, keys, auditLog, certificateLifeMs, clock };
  host.add(server, EnrollmentServiceService, enrollmentHandlers(deviceParts));
  const resources = new DeviceResources(context);
  const more = { sessions, changes, recordings, limits, logger };
  const { releases } = updates;
  const linkParts = { context, hub, auditLog, devices, requests, resources, releases, ...more };
  host.add(server, LinkServiceService, linkHandlers(linkParts));
  host.add(server, DeviceServiceService, deviceHandlers(deviceParts));
  host.add(server, RequestServiceService, requestHandlers({ requests, ledger }));
  host.add(server, SessionServiceService, sessionHandlers({ ledger, sessions, changes, hub, clock, passwordRequired }));
  const cutWished = hub.cutWished.bind(hub);
  host.add(server, RecordingServiceService, recordingHandlers({ recordings, cutWished }));
  host.add(server, ReleaseServiceService, releaseHandlers(updates));
  host.add(server, PolicyServiceService, policyHandlers({ policies, hub, passwordRequired }));
  host.add(server, AccessServiceService, accessHandlers({ access, ledger, hub, passwordRequired }));
  host.add(server, UserServiceService, userHandlers({ users, tokens }));
  host.add(server, SignInServiceService, signInHandlers(signIn));
  host.add(server, AuditServiceService, auditHandlers(auditLog));
  host.add(server, ResourceServiceService, resourceHandlers(timedAccess, hub.isLinked));
  host.add(server, NotificationServiceService, notificationHandlers(notifications));
  const overview = new Overview(context, hub);
  const serverParts = {
    ledger,
    hub,
    overview,
    leaseKeys: keys.lease,
    caFingerprint: ca.fingerprint,
    startedAt: clock.now(),
  };
  host.add(server, ServerServiceService, serverHandlers(serverParts));
  addHealth(server, limits, ledger);
  addReflection(server, rules.descriptorSet, limits);
  return { server, host, rules };
}
