import { createLogger, CurfewError, SystemClock, systemRandom } from '@curfew/shared';
import { Command } from 'commander';
import { rmSync } from 'node:fs';
import { agentPaths, prepareStateDir } from './config/agent-paths.js';
import { choosePlatform } from './platform/choose-platform.js';
import { FileIdentityStore } from './state/file-identity-store.js';
import { JsonStateFile } from './state/json-state-file.js';
import { VERSION } from './version.js';

// A signal that log rotation likes to send opens Node's inspector otherwise: root for every local user.
process.on('SIGUSR1', () => undefined);

const clock = new SystemClock();
const program = new Command('curfew-agent')
  .description('Runs on a device as root: gives and takes admin rights as the server has signed.')
  .version(VERSION);

function prepare() {
  if (process.platform !== 'win32' && process.getuid?.() !== 0)
    throw new CurfewError('METHOD_NOT_ALLOWED', { role: 'everybody', method: 'curfew-agent', needed: 'root' });
  const paths = agentPaths(process.env);
  prepareStateDir(paths.stateDir);
  return { paths, identities: new FileIdentityStore(paths.stateDir), stateFile: new JsonStateFile(paths.stateDir) };
}

const platformOf = (runtimeDir: string) =>
  choosePlatform(process.platform, { runtimeDir, clock, random: systemRandom });

program
  .command('enroll')
  .description('join a server with a join token')
  .requiredOption('--server <host:port>', 'where the server listens')
  .requiredOption('--token <token>', "a join token: 'curfewctl devices join-token create' makes one")
  .option('--force', 'replace an enrolment that is there already')
  .action(async (options: { server: string; token: string; force?: boolean }) => {
    const { paths, identities } = prepare();
    const existing = await identities.load();
    if (existing !== undefined && options.force !== true)
      throw new CurfewError('FIELD_INVALID', {
        field: '--force',
        problem: `this machine is enrolled as ${existing.deviceName} already; say --force to replace that`,
      });
    const { enroll } = await import('./enroll/enroll.js');
    const { readFacts } = await import('./link/device-report.js');
    const { host, machine } = await platformOf(paths.runtimeDir);
    const facts = await readFacts(machine, await host.prepare(), VERSION);
    const identity = await enroll({ server: options.server, token: options.token, facts, clock });
    await identities.save(identity);
    process.stderr.write(`Enrolled as ${identity.deviceName}. Next: curfew-agent run, or start its service.\n`);
  });

program
  .command('run')
  .description('run the agent')
  .option('--end-sessions-on-exit', 'when stopped, end every session and take the drop-in out of sudo')
  .action(async (options: { endSessionsOnExit?: boolean }) => {
    const { paths, identities, stateFile } = prepare();
    const logger = createLogger('curfew-agent');
    const { startDaemon } = await import('./daemon.js');
    const platform = await platformOf(paths.runtimeDir);
    const daemon = await startDaemon({ platform, paths, identities, stateFile, clock, random: systemRandom, logger });
    if (daemon === undefined) throw new CurfewError('DEVICE_UNKNOWN');
    const stop = (): void => {
      void daemon.stop({ endSessions: options.endSessionsOnExit === true }).finally(() => process.exit(0));
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  });

program
  .command('status')
  .description('show how the agent stands')
  .action(async () => {
    const { LocalServiceClient, GetAgentStatusResponse } = await import('@curfew/proto');
    const { credentials } = await import('@grpc/grpc-js');
    const { paths } = prepare();
    const client = new LocalServiceClient(`unix:${paths.socket}`, credentials.createInsecure(), {
      'grpc.default_authority': 'localhost',
    });
    const status = await new Promise((resolve, reject) => {
      client.getAgentStatus({}, (error, response) => {
        if (error === null) resolve(GetAgentStatusResponse.toJSON(response));
        else reject(new CurfewError('AGENT_UNREACHABLE', { detail: error.details }, { cause: error }));
      });
    });
    process.stdout.write(`${JSON.stringify(status, null, 2)}\n`);
    client.close();
  });

program
  .command('uninstall')
  .description('end every session and take everything of Curfew off this machine')
  .action(async () => {
    const { paths } = prepare();
    const { host } = await platformOf(paths.runtimeDir);
    await host.uninstall();
    rmSync(paths.runtimeDir, { recursive: true, force: true });
    rmSync(paths.stateDir, { recursive: true, force: true });
    process.stderr.write('Removed. The device stays on the server until: curfewctl devices remove\n');
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`curfew-agent: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
