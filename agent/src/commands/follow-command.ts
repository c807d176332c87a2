import { createLogger, CurfewError, durationMs, newId, SECOND, sleep, systemRandom, type Logger } from '@curfew/shared';
import { realpathSync, watch } from 'node:fs';
import { recordingsDir } from '../config/agent-paths.js';
import { recordingLimit } from '../config/recording-limit.js';
import { endCommand } from '../processes/end-command.js';
import { Follower } from '../processes/follower.js';
import { CUTS, EXEMPT, FIRST_PORT, LAST_PORT, WANTED, type ProcessFolder } from '../processes/process-folder.js';
import { SudoReceiver } from '../processes/sudo-receiver.js';
import { CommandRecorders } from '../recordings/command-recorders.js';
import { RecordingSpool } from '../recordings/recording-spool.js';
import { SpoolFolder } from '../recordings/spool-folder.js';
import { rootPaths, type AgentContext } from './agent-context.js';

const PAUSE = durationMs(SECOND);

/** `follow`: follows and records what sessions run, until the folder that it shares with the agent is gone. */
export async function follow(context: AgentContext): Promise<void> {
  const logger = createLogger('curfew-follower');
  const paths = rootPaths(context);
  const { processes } = await context.platform(paths);
  if (processes?.sudo === undefined)
    throw new CurfewError('GRANT_KIND_UNSUPPORTED', { kind: 'following', why: 'nothing is followed on this machine' });
  const { folder, table, cgroups, sudoPeer } = processes;
  const { clock } = context;
  const sudo = realpathSync(processes.sudo);
  const spared = new Set([process.pid, process.ppid]);
  const spool = new RecordingSpool({
    folder: new SpoolFolder(recordingsDir(paths)),
    limit: recordingLimit(context.env['CURFEW_RECORDING_LIMIT']),
    logger,
  });
  const recorders = new CommandRecorders({
    spool,
    newId: () => newId('recording', systemRandom),
    endProcesses: (called) => endCommand(called, table, clock, sudo),
    clock,
    logger,
  });
  const cut = (): Promise<void> => cutCommands(folder, recorders);
  const makeWay = async (): Promise<void> => {
    const wanted = await folder.wanted();
    if (wanted === undefined || wanted === context.version || recorders.areBusy || !follower.rests) return;
    logger.info('making way for another version', { version: wanted });
    await folder.setFollower(undefined);
    process.exit(0);
  };
  const looked = async (): Promise<void> => {
    await cut();
    await makeWay();
  };
  const follower: Follower = new Follower({ folder, table, cgroups, clock, logger, sudo, spared, looked });
  const receiver = new SudoReceiver({
    peer: (localPort, remotePort) => sudoPeer(localPort, remotePort, sudo),
    admit: (called, still) => follower.admit(called, still),
    hasRoom: () => spool.hasRoom(),
    record: (called, session, end) => recorders.record(called, session, end),
    clock,
    logger,
  });
  await folder.prepare();
  await spool.recover();
  keepWhenStopped(recorders, folder, logger);
  // At once, where the kernel tells of changes; else with the next look.
  const told: Readonly<Record<string, () => Promise<unknown>>> = {
    [CUTS]: cut,
    [WANTED]: makeWay,
    [EXEMPT]: () => follower.look(),
  };
  watch(folder.live, () => void follower.look()).on('error', () => undefined);
  watch(folder.folder, (_, name) => void told[name ?? '']?.()).on('error', () => undefined);
  const ports = Array.from({ length: LAST_PORT - FIRST_PORT + 1 }, (_, index) => FIRST_PORT + index);
  const wanted = await folder.port();
  const port = await receiver.listen([wanted, ...ports.filter((other) => other !== wanted)]);
  if (port !== wanted) await folder.setPort(port);
  await folder.setFollower(context.version);
  logger.info('following', { port });
  await follower.run();
  // sudo would end what has to be recorded, the uninstall itself perhaps; an agent that is there again starts another follower.
  while (recorders.areBusy && (await folder.sessions()) === undefined) await sleep(clock, PAUSE);
  process.exit(0);
}

/** Ends the commands that operators want to end. */
async function cutCommands(folder: ProcessFolder, recorders: CommandRecorders): Promise<void> {
  for (const id of await folder.cuts()) recorders.end(id, 'Curfew: an operator has ended this command');
}

/** What has been collected goes to the disk when the follower is stopped. */
function keepWhenStopped(recorders: CommandRecorders, folder: ProcessFolder, logger: Logger): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      void recorders
        .drained()
        .catch((error: unknown) => {
          logger.error('recordings could not be kept', { error });
        })
        .then(() => folder.setFollower(undefined))
        .finally(() => process.exit(0));
    });
}
