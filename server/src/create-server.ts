import { DAY, durationMs, SECOND, type Clock, type Logger, type Random } from '@curfew/shared';
import { Server } from '@grpc/grpc-js';
import { mkdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { AuditLog } from './audit/audit-log.js';
import { buildRpc, buildUseCases, type RpcParts } from './build-rpc.js';
import { CONNECTOR_KINDS } from './connectors/connector-kinds.js';
import type { ConnectorKind } from './connectors/connector-kind.js';
import type { Config } from './config/config.js';
import { Readiness } from './health/readiness.js';
import { allowedNames } from './http/allowed-hosts.js';
import { ownNames, startConsole, tlsFiles, type ConsoleServer } from './http/console-server.js';
import { healthRoutes } from './http/health-routes.js';
import { startMetrics, type MetricsServer } from './http/metrics-server.js';
import { ExpiryTimer } from './jobs/expiry-timer.js';
import { sweepEveryMinute } from './jobs/every-minute.js';
import { pruneChanges } from './jobs/prune-changes.js';
import { startSweeps } from './jobs/sweeps.js';
import type { Ledger } from './ledger/ledger.js';
import { QueuedLedger } from './ledger/queued-ledger.js';
import { openLedger } from './ledger/open-ledger.js';
import { followLeaseKeys } from './link/follow-lease-keys.js';
import { LinkHub } from './link/link-hub.js';
import { NO_MEASURES } from './metrics/measures.js';
import type { MeasuredParts, ServerMetrics } from './metrics/server-metrics.js';
import { startNotifications } from './notifiers/start-notifications.js';
import { CertificateAuthority } from './pki/certificate-authority.js';
import { recordLeaseKeys } from './pki/record-lease-keys.js';
import { SecretFiles } from './pki/secret-files.js';
import type { SecretStore } from './pki/secret-store.js';
import { openRecordings } from './recordings/open-recordings.js';
import { openReleases } from './releases/open-releases.js';
import { CallLimits } from './rpc/call-limits.js';
import { ConnectionGate } from './rpc/connection-gate.js';
import type { ServiceHost } from './rpc/service-host.js';
import { RotatingServerCredentials } from './rpc/server-credentials.js';
import { setGroups } from './users/user-groups.js';
import { openTracing } from './tracing/open-tracing.js';
import { openTimedAccess } from './timed-access/open-timed-access.js';
import { buildSignIn, type SignInParts } from './sign-in/sign-in-parts.js';
import { ApiTokens } from './users/api-tokens.js';
import { firstOwner, type FirstOwner } from './users/first-owner.js';
import { VERSION } from './version.js';
import type { UseCaseContext } from './use-case-context.js';

/** A server that listens. */
export interface RunningServer {
  readonly port: number;
  /** The port of the console and the JSON API. */
  readonly httpPort: number;
  /** The port of /metrics; undefined where there are none. */
  readonly metricsPort: number | undefined;
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
  /** Called once every port listens. Must show the first owner's secrets at once: they are in the ledger only afterwards. */
  readonly tellFirstOwner?: (first: FirstOwner) => void;
  /** Other kinds of connectors than those that come along. */
  readonly connectorKinds?: readonly ConnectorKind[];
}

const SERVER_CERTIFICATE_LIFE = 90 * DAY;

/** Builds and starts everything: the only place on the server where adapters meet. */
export async function createServer(parts: ServerParts): Promise<RunningServer> {
  const { config, clock, random, logger, connectorKinds: kinds = CONNECTOR_KINDS } = parts;
  const given = { config, clock, random, logger };
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const { context, queue, metrics, readiness, files, keys, presence } = await openContext(parts);
  const { ledger, measures, tracing } = context;
  const ca = await CertificateAuthority.open(files, clock, random);
  const caFile = keepCaFile(config, ca);
  const useCases = buildUseCases(context, ca, logger);
  const { users, devices, requests, sessions } = useCases;
  const signIn = await openSignIn(context, useCases.tokens, files, { config, logger });
  const auditLog = new AuditLog(ledger, keys.note);
  const recorded = await openRecordings({ context, config, files, logger });
  const { recordings } = recorded;
  const updates = openReleases(context, config.dataDir);
  const told = { offers: updates.offers, uninstallNeedsCode: config.uninstallApproval, presence };
  const hub = new LinkHub({ context, ledger, devices, requests, recordings, auditLog, keys, logger, ...told });
  await hub.followOthers();
  const leaseKeys = followLeaseKeys({ config, ledger, keys, hub, clock: context.clock, logger });

  const notifications = await startNotifications({ context, config, files, requests, logger });
  const timedAccess = await openTimedAccess({ context, config, files, kinds, logger });
  const limits = new CallLimits(clock, config.limits);
  const doors = tellDoors(
    () => gate,
    () => console,
  );
  const more = { signIn, notifications, timedAccess, hub, ca, keys, auditLog, recordings, updates };
  const { server, host, rules } = buildRpc({ ...useCases, ...more, ...given, limits, doors });
  recheckStreams(ledger, host);

  const credentials = new RotatingServerCredentials(await tlsContext(ca, config));
  // A server that was killed in the middle of a rotation makes up for what it has not recorded.
  await recordLeaseKeys(ledger, keys.lease);
  const gate = gateTo(server, credentials, { config, clock, logger });
  const port = await gate.listen(config.grpcHost, config.grpcPort);
  const { unknownConnections } = config;
  const http = { host, rules, signIn, users, limits, ca, clock, random, logger, unknownConnections, readiness };
  const console = await startConsole({ ...http, hooks: notifications.hookRoutes, config: config.http });
  const asked = { ledger: queue, hub, host, limits, gate, notifier: notifications.notifier, readiness, clock };
  const listening = await listenForMetrics(metrics, asked, { config, ca, clock, random, logger });
  await timedAccess.work.start();
  const expiry = new ExpiryTimer(ledger, sessions, clock, logger, hub.lostSince);
  const swept = { ...more, context, config, ledger, requests, recorded, logger };
  const everyMinute = () => sweepEveryMinute(swept);
  const everyDay = async (): Promise<void> => {
    credentials.rotate(await tlsContext(ca, config));
    await Promise.all([console.rotate(), listening?.rotate()]);
    await pruneChanges(ledger);
  };
  const sweeps = startSweeps({ logger, measures, everyMinute, everyDay });
  const first = await firstOwner(useCases, signIn, parts.tellFirstOwner);
  return {
    port,
    httpPort: console.port,
    metricsPort: listening?.port,
    consoleUrl: console.url,
    caFingerprint: ca.fingerprint,
    caFile,
    firstOwnerToken: first?.token,
    firstOwnerPassword: first?.password,
    ledger,
    sweep: everyMinute,
    close: async () => {
      readiness.stop();
      expiry.stop();
      await sweeps.stop();
      gate.stop();
      await hub.closeAll();
      host.stopStreams();
      await Promise.all([closeGrpc(server, clock), console.close()]);
      gate.closeAll();
      const closed = { stop: () => leaseKeys.stop().then(() => recorded.close()) };
      await closeParts([timedAccess.work, notifications, closed, { stop: async () => listening?.close() }, presence]);
      await ledger.close();
      // Last of all: a collector that does not answer keeps nothing else waiting.
      await tracing?.close();
    },
  };
}

/** Tells the doors what is learned of a caller. They are opened after what learns it is there. */
const tellDoors = (gate: () => ConnectionGate, console: () => ConsoleServer): RpcParts['doors'] => ({
  identified: (peer) => {
    gate().identified(peer);
    console().identified(peer);
  },
  settled: (peer) => {
    gate().settled(peer);
  },
});

/** Whoever may no longer call loses their streams. */
function recheckStreams(ledger: Ledger, host: ServiceHost): void {
  ledger.onChange((changes) => {
    if (changes.some(({ kind, id }) => kind === 'user' || id === '')) host.recheckStreams();
  });
}

/** One after the other. */
async function closeParts(parts: readonly { stop(): Promise<void> }[]): Promise<void> {
  for (const part of parts) await part.stop();
}

/** Where people find the CA's certificate, which is not secret: also when its key is in a ledger that servers share. */
function keepCaFile({ dataDir }: Config, { certificate }: CertificateAuthority): string {
  const files = new SecretFiles(path.join(dataDir, 'pki'));
  if (files.read('ca.crt') !== certificate) files.write('ca.crt', certificate);
  return path.join(files.folder, 'ca.crt');
}

/** The ledger behind its queue, what is counted of everything, and whether all is well. */
async function openContext({ config, clock, random, logger, fatal }: ServerParts) {
  const metrics = await openMetrics(config);
  const counted = metrics?.prometheus ?? NO_MEASURES;
  const tracing = await openTracing(config.traces, { clock, random, logger, measures: counted });
  const opened = await openLedger({ config, clock, random, logger, fatal });
  const { secrets: files, keyFiles, keys, presence } = opened;
  const queue = new QueuedLedger(opened.ledger, counted);
  const readiness = new Readiness({ ledger: queue, clock, logger, keyFiles });
  const measures = tracing?.measures(counted) ?? counted;
  const ledger = tracing?.ledger(queue) ?? queue;
  const context = { ledger, clock, random, settings: config, measures, tracing };
  return { context, queue, metrics, readiness, files, keys, presence };
}

/** Counts, if somebody is to read it: the library is not even loaded otherwise. */
async function openMetrics({ metrics, dataDir }: Config): Promise<ServerMetrics | undefined> {
  if (metrics === undefined) return undefined;
  const { ServerMetrics } = await import('./metrics/server-metrics.js');
  return new ServerMetrics(dataDir, VERSION);
}

async function listenForMetrics(
  metrics: ServerMetrics | undefined,
  asked: MeasuredParts & { readonly readiness: Readiness },
  parts: Pick<ServerParts, 'config' | 'clock' | 'random' | 'logger'> & { readonly ca: CertificateAuthority },
): Promise<MetricsServer | undefined> {
  const { config, ca } = parts;
  if (metrics === undefined || config.metrics === undefined) return undefined;
  metrics.ask(asked);
  const { host, tls } = config.metrics;
  const http = { ...config.http, host, tls };
  const server = await startMetrics({
    ...parts,
    config: config.metrics,
    prometheus: metrics.prometheus,
    health: healthRoutes(asked.readiness),
    names: allowedNames(http.names, http.publicUrl, ownNames(http)),
    tls: () => tlsFiles({ config: http, ca }),
  });
  return {
    ...server,
    close: async () => {
      await server.close();
      metrics.close();
    },
  };
}

/** Everything about signing in. */
function openSignIn(
  context: UseCaseContext,
  tokens: ApiTokens,
  files: SecretStore,
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
