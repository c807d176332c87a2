import {
  AccessServiceService,
  AuditServiceService,
  DeviceServiceService,
  EnrollmentServiceService,
  LinkServiceService,
  NotificationServiceService,
  PolicyServiceService,
  RequestServiceService,
  ResourceServiceService,
  ServerServiceService,
  SessionServiceService,
  SignInServiceService,
  UserServiceService,
} from '@curfew/proto';
import { DAY, durationMs, MINUTE, SECOND, type Clock, type Logger, type Random } from '@curfew/shared';
import { Server } from '@grpc/grpc-js';
import { mkdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { MyAccess } from './access/my-access.js';
import { AuditLog } from './audit/audit-log.js';
import { CONNECTOR_KINDS } from './connectors/connector-kinds.js';
import type { ConnectorKind } from './connectors/connector-kind.js';
import type { Config } from './config/config.js';
import { Devices } from './devices/devices.js';
import { JoinTokens } from './devices/join-tokens.js';
import { startConsole } from './http/console-server.js';
import { ExpiryTimer } from './jobs/expiry-timer.js';
import { pruneChanges } from './jobs/prune-changes.js';
import { startSweeps } from './jobs/sweeps.js';
import type { Ledger } from './ledger/ledger.js';
import { SqliteLedger } from './ledger/sqlite-ledger.js';
import { LinkHub } from './link/link-hub.js';
import { linkHandlers } from './link/link-service.js';
import { startNotifications, type Notifications } from './notifiers/start-notifications.js';
import { CertificateAuthority } from './pki/certificate-authority.js';
import { SecretFiles } from './pki/secret-files.js';
import { openServerKeys, type ServerKeys } from './pki/server-keys.js';
import { Overview } from './overview/overview.js';
import { Policies } from './policies/policies.js';
import { Requests } from './requests/requests.js';
import { CallLimits } from './rpc/call-limits.js';
import { ConnectionGate } from './rpc/connection-gate.js';
import { addHealth } from './rpc/health.js';
import { addReflection } from './rpc/reflection.js';
import { RequestRules } from './rpc/request-rules.js';
import { RotatingServerCredentials } from './rpc/server-credentials.js';
import { ServiceHost } from './rpc/service-host.js';
import { accessHandlers } from './rpc/services/access-handlers.js';
import { auditHandlers } from './rpc/services/audit-handlers.js';
import { deviceHandlers, enrollmentHandlers } from './rpc/services/device-handlers.js';
import { recordLeaseKeys, serverHandlers } from './rpc/services/server-handlers.js';
import { notificationHandlers } from './rpc/services/notification-handlers.js';
import { policyHandlers } from './rpc/services/policy-handlers.js';
import { resourceHandlers } from './rpc/services/resource-handlers.js';
import { requestHandlers } from './rpc/services/request-handlers.js';
import { signInHandlers } from './rpc/services/sign-in-handlers.js';
import { sessionHandlers } from './rpc/services/session-handlers.js';
import { userHandlers } from './rpc/services/user-handlers.js';
import { setGroups } from './users/user-groups.js';
import { Sessions } from './sessions/sessions.js';
import { openTimedAccess, type OpenTimedAccess } from './timed-access/open-timed-access.js';
import { buildSignIn, type SignInParts } from './sign-in/sign-in-parts.js';
import { ApiTokens } from './users/api-tokens.js';
import type { UseCaseContext } from './use-case-context.js';
import { Users } from './users/users.js';

/** A server that listens. */
export interface RunningServer {
  readonly port: number;
  /** The port of the console and the JSON API. */
  readonly httpPort: number;
  /** Where browsers find the console. */
  readonly consoleUrl: string;
  readonly caFingerprint: string;
  readonly caFile: string;
  /** The first owner's API token, at the very first start only. */
  readonly firstOwnerToken: string | undefined;
  /** The first owner's one-time password, at the very first start only. */
  readonly firstOwnerPassword: string | undefined;
  readonly ledger: Ledger;
  /** Does now what is done every minute: sweeps the requests, sends the witnesses the newest checkpoint. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

export interface ServerParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Must end the process: the disk has failed. */
  readonly fatal: (error: unknown) => void;
  /** Other kinds of connectors than those that come along. */
  readonly connectorKinds?: readonly ConnectorKind[];
}

const SERVER_CERTIFICATE_LIFE = 90 * DAY;

/** Builds and starts everything: the only place on the server where adapters meet. */
export async function createServer(parts: ServerParts): Promise<RunningServer> {
  const { config, clock, random, logger, fatal, connectorKinds: kinds = CONNECTOR_KINDS } = parts;
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const files = new SecretFiles(path.join(config.dataDir, 'pki'));
  const ca = await CertificateAuthority.open(files, clock, random);
  const keys = await openServerKeys(files);
  const file = path.join(config.dataDir, 'ledger.db');
  const ledger = await SqliteLedger.open({ file, clock, random, noteKey: keys.note, fatal });
  const context = { ledger, clock, random, settings: config };
  const useCases = buildUseCases(context, ca);
  const { users, devices, requests, sessions } = useCases;
  const signIn = await openSignIn(context, useCases.tokens, files, { config, logger });
  const auditLog = new AuditLog(ledger, keys.note);
  const hub = new LinkHub({ context, ledger, devices, requests, auditLog, keys, logger });

  const notifications = await startNotifications({ context, config, files, requests, logger });
  const timedAccess = await openTimedAccess({ context, config, files, kinds, logger });
  const limits = new CallLimits(clock, config.limits);
  const identified = (peer: string): void => {
    gate.identified(peer);
    console.identified(peer);
  };
  const given = { config, clock, random, logger };
  const more = { signIn, notifications, timedAccess, hub, ca, keys, auditLog };
  const { server, host, rules } = buildRpc({ ...useCases, ...more, ...given, limits, identified });
  ledger.onChange((changes) => {
    if (changes.some(({ kind }) => kind === 'user')) host.recheckStreams();
  });

  const credentials = new RotatingServerCredentials(await tlsContext(ca, config));
  const first = await firstOwner(useCases, signIn);
  // A server that was killed in the middle of a rotation makes up for what it has not recorded.
  await recordLeaseKeys(ledger, keys.lease, { kind: 'server' });
  const gate = gateTo(server, credentials, { config, clock, logger });
  const port = await gate.listen(config.grpcHost, config.grpcPort);
  const { unknownConnections } = config;
  const http = { host, rules, signIn, users, limits, ca, clock, random, logger, unknownConnections };
  const console = await startConsole({ ...http, hooks: notifications.hookRoutes, config: config.http });
  await timedAccess.work.start();
  const expiry = new ExpiryTimer(ledger, sessions, clock, logger, hub.lostSince);
  const everyMinute = () => sweep({ requests, signIn, hub, notifications, timedAccess });
  const sweeps = startSweeps({
    logger,
    everyMinute,
    everyDay: async () => {
      credentials.rotate(await tlsContext(ca, config));
      await console.rotate();
      await pruneChanges(ledger);
    },
  });
  return {
    port,
    httpPort: console.port,
    consoleUrl: console.url,
    caFingerprint: ca.fingerprint,
    caFile: path.join(files.folder, 'ca.crt'),
    firstOwnerToken: first?.token,
    firstOwnerPassword: first?.password,
    ledger,
    sweep: everyMinute,
    close: async () => {
      expiry.stop();
      await sweeps.stop();
      gate.stop();
      hub.closeAll();
      host.stopStreams();
      await Promise.all([closeGrpc(server, clock), console.close()]);
      gate.closeAll();
      await timedAccess.work.stop();
      await notifications.stop();
      await ledger.close();
    },
  };
}

/** What is done every minute. */
async function sweep({
  requests,
  signIn,
  hub,
  notifications,
  timedAccess,
}: Pick<RpcParts, 'requests' | 'signIn' | 'hub' | 'notifications' | 'timedAccess'>): Promise<void> {
  await requests.sweep();
  await signIn.signIns.sweep();
  // Not waited for: a provider that is slow must not keep the other sweeps waiting.
  void signIn.oidc?.signIn.recheck();
  await hub.pushCheckpoints();
  await notifications.notifier.sweep();
  await timedAccess.work.sweep();
}

/** Everything about signing in. */
function openSignIn(
  context: UseCaseContext,
  tokens: ApiTokens,
  files: SecretFiles,
  { config, logger }: Pick<ServerParts, 'config' | 'logger'>,
): Promise<SignInParts> {
  return buildSignIn({ context, tokens, limits: config.signIn, oidcConfig: config.oidc, setGroups, files, logger });
}

/** Waits a second for what is being answered, then cuts. */
async function closeGrpc(server: Server, clock: Clock): Promise<void> {
  const graceful = new Promise<void>((resolve) => {
    server.tryShutdown(() => {
      resolve();
    });
  });
  const cut = clock.after(durationMs(SECOND), () => {
    server.forceShutdown();
  });
  await graceful;
  cut();
}

/** A fresh certificate for the gRPC port. */
async function tlsContext(ca: CertificateAuthority, { grpcNames }: Config) {
  const names = [...new Set(['curfew-server', 'localhost', os.hostname(), '127.0.0.1', '::1', ...grpcNames])];
  const issued = await ca.issueServer(names, SERVER_CERTIFICATE_LIFE);
  // The CA goes along, so that a joining agent can compare it with the fingerprint in its token.
  return { ca: ca.certificate, cert: issued.pem + ca.certificate, key: issued.keyPem };
}

/** What stands between the network and the gRPC server. */
function gateTo(
  server: Server,
  credentials: RotatingServerCredentials,
  { config, clock, logger }: Pick<ServerParts, 'config' | 'clock' | 'logger'>,
): ConnectionGate {
  const injector = server.createConnectionInjector(credentials);
  const accept = (socket: Socket): void => {
    injector.injectConnection(socket);
  };
  return new ConnectionGate({ clock, logger, unknownConnections: config.unknownConnections, accept });
}

/** Everything that the server does, by noun. */
function buildUseCases(context: UseCaseContext, ca: CertificateAuthority) {
  return {
    context,
    ledger: context.ledger,
    users: new Users(context),
    tokens: new ApiTokens(context),
    devices: new Devices(context),
    requests: new Requests(context),
    sessions: new Sessions(context),
    policies: new Policies(context),
    access: new MyAccess(context),
    joinTokens: new JoinTokens(context, ca.fingerprint),
  };
}

type RpcParts = ReturnType<typeof buildUseCases> &
  Pick<ServerParts, 'config' | 'clock' | 'random' | 'logger'> & {
    readonly signIn: SignInParts;
    readonly hub: LinkHub;
    readonly notifications: Notifications;
    readonly timedAccess: OpenTimedAccess;
    readonly ca: CertificateAuthority;
    readonly keys: ServerKeys;
    readonly auditLog: AuditLog;
    readonly limits: CallLimits;
    readonly identified: (peer: string) => void;
  };

/** The gRPC server with every service behind one door. */
function buildRpc(parts: RpcParts): {
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
    identified,
  } = parts;
  // HTTP/2 pings find a half-open link within 8 s.
  const server = new Server({
    'grpc.keepalive_time_ms': 4_000,
    'grpc.keepalive_timeout_ms': 4_000,
    'grpc.max_receive_message_length': 1_048_576,
    'grpc.max_concurrent_streams': 256,
  });
  const rules = new RequestRules();
  const known = { devices, tokens, signIns: signIn.signIns };
  const host = new ServiceHost({ ...known, rules, limits, identified, clock, logger, random });
  const deviceParts = {
    ledger,
    devices,
    joinTokens,
    hub,
    ca,
    keys,
    auditLog,
    certificateLifeMs: config.certificateLifeMs,
  };
  host.add(server, EnrollmentServiceService, enrollmentHandlers(deviceParts));
  const linkParts = { context, hub, auditLog, devices, requests, sessions, limits, logger };
  host.add(server, LinkServiceService, linkHandlers(linkParts));
  host.add(server, DeviceServiceService, deviceHandlers(deviceParts));
  host.add(server, RequestServiceService, requestHandlers({ requests, ledger }));
  const { passwordRequired } = config;
  host.add(server, SessionServiceService, sessionHandlers({ ledger, sessions, hub, clock, passwordRequired }));
  host.add(server, PolicyServiceService, policyHandlers({ policies, hub, passwordRequired }));
  host.add(server, AccessServiceService, accessHandlers({ access, ledger, hub, passwordRequired }));
  host.add(server, UserServiceService, userHandlers({ users, tokens }));
  host.add(server, SignInServiceService, signInHandlers(signIn));
  host.add(server, AuditServiceService, auditHandlers(auditLog));
  host.add(server, ResourceServiceService, resourceHandlers(timedAccess));
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
  addHealth(server, limits);
  addReflection(server, rules.descriptorSet, limits);
  return { server, host, rules };
}

/** Makes the owner at the very first start, with a token of a year and a password that must be changed. */
async function firstOwner(
  { users, tokens, ledger }: ReturnType<typeof buildUseCases>,
  { passwords }: SignInParts,
): Promise<{ readonly token: string; readonly password: string } | undefined> {
  const someone = await ledger.read((db) =>
    db.selectFrom('app_user').select('id').where('role', '=', 'owner').executeTakeFirst(),
  );
  if (someone !== undefined) return undefined;
  const owner = await users.create('server', { name: 'owner', displayName: 'First owner', role: 'owner' });
  const input = { user: owner.id, label: 'first start', scope: undefined, ttlMs: 365 * 24 * 60 * MINUTE };
  const { secret: token } = await tokens.create({ actor: { kind: 'server' } }, input);
  const { password } = await passwords.reset('server', owner.id);
  return { token, password };
}
