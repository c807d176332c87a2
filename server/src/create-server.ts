import {
  AuditServiceService,
  DeviceServiceService,
  EnrollmentServiceService,
  GetServerInfoResponse,
  LinkServiceService,
  RequestServiceService,
  ServerServiceService,
  SessionServiceService,
  UserServiceService,
} from '@curfew/proto';
import { DAY, durationMs, MINUTE, SECOND, type Clock, type Logger, type Random } from '@curfew/shared';
import { Server } from '@grpc/grpc-js';
import { mkdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { AuditLog } from './audit/audit-log.js';
import type { Config } from './config/config.js';
import { Devices } from './devices/devices.js';
import { JoinTokens } from './devices/join-tokens.js';
import { ExpiryTimer } from './jobs/expiry-timer.js';
import { startSweeps } from './jobs/sweeps.js';
import type { Ledger } from './ledger/ledger.js';
import { readMeta } from './ledger/ledger-meta.js';
import { SqliteLedger } from './ledger/sqlite-ledger.js';
import { LinkHub } from './link/link-hub.js';
import { linkHandlers } from './link/link-service.js';
import { CertificateAuthority } from './pki/certificate-authority.js';
import { SecretFiles } from './pki/secret-files.js';
import { openServerKeys, type ServerKeys } from './pki/server-keys.js';
import { Requests } from './requests/requests.js';
import { addHealth } from './rpc/health.js';
import { addReflection } from './rpc/reflection.js';
import { RequestRules } from './rpc/request-rules.js';
import { RotatingServerCredentials } from './rpc/server-credentials.js';
import { ServiceHost } from './rpc/service-host.js';
import { auditHandlers } from './rpc/services/audit-handlers.js';
import { deviceHandlers, enrollmentHandlers } from './rpc/services/device-handlers.js';
import { requestHandlers } from './rpc/services/request-handlers.js';
import { sessionHandlers } from './rpc/services/session-handlers.js';
import { userHandlers } from './rpc/services/user-handlers.js';
import { Sessions } from './sessions/sessions.js';
import { ApiTokens } from './users/api-tokens.js';
import type { UseCaseContext } from './use-case-context.js';
import { Users } from './users/users.js';
import { VERSION } from './version.js';

/** A server that listens. */
export interface RunningServer {
  readonly port: number;
  readonly caFingerprint: string;
  readonly caFile: string;
  /** The first owner's API token, at the very first start only. */
  readonly firstOwnerToken: string | undefined;
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
}

const SERVER_CERTIFICATE_LIFE = 90 * DAY;

/** Builds and starts everything: the only place on the server where adapters meet. */
export async function createServer({ config, clock, random, logger, fatal }: ServerParts): Promise<RunningServer> {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const files = new SecretFiles(path.join(config.dataDir, 'pki'));
  const ca = await CertificateAuthority.open(files, clock, random);
  const keys = await openServerKeys(files);
  const ledger = await SqliteLedger.open({
    file: path.join(config.dataDir, 'ledger.db'),
    clock,
    random,
    noteKey: keys.note,
    fatal,
  });
  const context = { ledger, clock, random, settings: config };
  const useCases = buildUseCases(context, ca);
  const { users, tokens, devices, requests, sessions } = useCases;
  const auditLog = new AuditLog(ledger, keys.note);
  const hub = new LinkHub({ context, ledger, devices, requests, auditLog, keys, logger });

  const { server, host } = buildRpc({ ...useCases, hub, ca, keys, auditLog, config, clock, random, logger });
  ledger.onChange((changes) => {
    if (changes.some(({ kind }) => kind === 'user')) host.recheckStreams();
  });

  const names = [...new Set(['curfew-server', 'localhost', os.hostname(), '127.0.0.1', '::1', ...config.grpcNames])];
  const tlsContext = async () => {
    const issued = await ca.issueServer(names, SERVER_CERTIFICATE_LIFE);
    // The CA goes along, so that a joining agent can compare it with the fingerprint in its token.
    return { ca: ca.certificate, cert: issued.pem + ca.certificate, key: issued.keyPem };
  };
  const credentials = new RotatingServerCredentials(await tlsContext());
  const firstOwnerToken = await firstOwner(users, tokens, ledger);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${config.grpcHost}:${config.grpcPort}`, credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  const expiry = new ExpiryTimer(ledger, sessions, clock, logger);
  const everyMinute = async (): Promise<void> => {
    await requests.sweep();
    await hub.pushCheckpoints();
  };
  const sweeps = startSweeps({
    logger,
    everyMinute,
    everyDay: async () => {
      credentials.rotate(await tlsContext());
    },
  });
  return {
    port,
    caFingerprint: ca.fingerprint,
    caFile: path.join(files.folder, 'ca.crt'),
    firstOwnerToken,
    ledger,
    sweep: everyMinute,
    close: async () => {
      expiry.stop();
      await sweeps.stop();
      hub.closeAll();
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
      await ledger.close();
    },
  };
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
    joinTokens: new JoinTokens(context, ca.fingerprint),
  };
}

type RpcParts = ReturnType<typeof buildUseCases> &
  Pick<ServerParts, 'config' | 'clock' | 'random' | 'logger'> & {
    readonly hub: LinkHub;
    readonly ca: CertificateAuthority;
    readonly keys: ServerKeys;
    readonly auditLog: AuditLog;
  };

/** The gRPC server with every service behind one door. */
function buildRpc(parts: RpcParts): { readonly server: Server; readonly host: ServiceHost } {
  const {
    context,
    ledger,
    users,
    tokens,
    devices,
    requests,
    sessions,
    joinTokens,
    hub,
    ca,
    keys,
    auditLog,
    config,
    clock,
    random,
    logger,
  } = parts;
  // HTTP/2 pings find a half-open link within 8 s.
  const server = new Server({
    'grpc.keepalive_time_ms': 4_000,
    'grpc.keepalive_timeout_ms': 4_000,
    'grpc.max_receive_message_length': 1_048_576,
  });
  const rules = new RequestRules();
  const host = new ServiceHost({ rules, devices, tokens, logger, random });
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
  const startedAt = clock.now();
  host.add(server, EnrollmentServiceService, enrollmentHandlers(deviceParts));
  host.add(server, LinkServiceService, linkHandlers({ context, hub, devices, requests, sessions, logger }));
  host.add(server, DeviceServiceService, deviceHandlers(deviceParts));
  host.add(server, RequestServiceService, requestHandlers({ requests, ledger }));
  host.add(
    server,
    SessionServiceService,
    sessionHandlers({ ledger, sessions, hub, clock, passwordRequired: config.passwordRequired }),
  );
  host.add(server, UserServiceService, userHandlers({ users, tokens }));
  host.add(server, AuditServiceService, auditHandlers(auditLog));
  host.add(server, ServerServiceService, {
    getServerInfo: async () => {
      const meta = await ledger.read((db) => readMeta(db));
      return GetServerInfoResponse.fromPartial({
        version: VERSION,
        incarnation: BigInt(meta.incarnation),
        rolledBack: meta.rolledBack !== '',
        startTime: new Date(startedAt),
        linkedDevices: hub.linkedDevices.length,
        caFingerprint: ca.fingerprint,
      });
    },
  });
  addHealth(server);
  addReflection(server, rules.descriptorSet);
  return { server, host };
}

/** Makes the owner at the very first start, with a token of a year. */
async function firstOwner(users: Users, tokens: ApiTokens, ledger: Ledger): Promise<string | undefined> {
  const someone = await ledger.read((db) =>
    db.selectFrom('app_user').select('id').where('role', '=', 'owner').executeTakeFirst(),
  );
  if (someone !== undefined) return undefined;
  const owner = await users.create('server', { name: 'owner', displayName: 'First owner', role: 'owner' });
  const input = { user: owner.id, label: 'first start', scope: undefined, ttlMs: 365 * 24 * 60 * MINUTE };
  return (await tokens.create({ actor: { kind: 'server' } }, input)).secret;
}
