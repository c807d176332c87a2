import type { Command } from 'commander';
import { addressFlag, newProgram } from '@curfew/shared/cli';
import type { AgentContext } from './agent-context.js';
import type { EnrollFlags } from './enroll-command.js';
import type { UninstallFlags } from './uninstall-command.js';

/** How the service is started, by the platform as Node names it; elsewhere by systemd. */
const STARTED_WITH: Partial<Record<NodeJS.Platform, string>> = {
  darwin: 'launchctl kickstart system/curfew.agent',
  win32: 'net start curfew-agent',
};

/** What to do next on a platform, by the code of the error. */
export const hintsOn = (platform: NodeJS.Platform): Readonly<Record<string, string>> => ({
  AGENT_UNREACHABLE: `start it with: ${STARTED_WITH[platform] ?? 'systemctl start curfew-agent'}, or: curfew-agent run`,
  DEVICE_UNKNOWN: 'enrol with: curfew-agent enroll --server HOST:PORT --token TOKEN',
});

/** curfew-agent's whole tree of commands. Building it loads nothing that only some of them need. */
export function agentProgram(context: AgentContext): Command {
  const program = newProgram(
    'curfew-agent',
    'Runs on a device as root: gives and takes admin rights as the server has signed.',
    context.version,
    context,
  );
  program
    .command('enroll')
    .description('join a server with a join token')
    .requiredOption('--server <host:port>', 'where the server listens', addressFlag)
    .option('--token-file <file>', "the file with the join token, '-' for standard input")
    .option('--token <token>', 'the join token itself; on a command line others can see it while this runs')
    .option('--force', 'replace an enrolment that is there already')
    .option('--unless-enrolled', 'do nothing where there is an enrolment')
    .addHelpText(
      'after',
      `
'curfewctl devices join-token create' makes a join token. It is read from --token-file, else from the environment
(CURFEW_JOIN_TOKEN), else from --token.`,
    )
    .action(async (flags: EnrollFlags, command: Command) =>
      (await import('./enroll-command.js')).enrollThis(context, command, flags),
    );
  program
    .command('run')
    .description('run the agent')
    .option('--end-sessions-on-exit', 'when stopped, end every session and take the drop-in out of sudo')
    .action(async (flags: { endSessionsOnExit?: boolean }) =>
      (await import('./run-command.js')).runAgent(context, flags.endSessionsOnExit === true),
    );
  program
    .command('status')
    .description('show how the agent stands, and what it holds')
    .action(async (_flags: object, command: Command) =>
      (await import('./status-command.js')).showStatus(context, command),
    );
  program
    .command('uninstall')
    .description('end every session and take everything of Curfew off this machine')
    .option('--keep-enrolment', 'keep the identity, so that the agent can be run again without a join token')
    .option('--code <code>', 'the code that an operator has made, where the server wants one (CURFEW_UNINSTALL_CODE)')
    .action(async (flags: UninstallFlags, command: Command) =>
      (await import('./uninstall-command.js')).uninstall(context, command, flags),
    );
  program
    .command('selftest')
    .description('show on this very machine that rights end: with the agent killed, and by a revoke')
    .action(async (_flags: object, command: Command) =>
      (await import('./selftest-command.js')).selftest(context, command),
    );
  program
    .command('selftest-agent', { hidden: true })
    .action(async () => (await import('./selftest-command.js')).selftestAgent(context));
  program
    .command('check', { hidden: true })
    .action(async () => (await import('./check-command.js')).checkThis(context));
  program
    .command('service', { hidden: true })
    .action(async () => (await import('./service-command.js')).runAsService(context));
  program
    .command('remove-membership', { hidden: true })
    .argument('<session>')
    .action(async (sessionId: string) =>
      (await import('./remove-membership-command.js')).removeMembership(context, sessionId),
    );
  program.command('follow', { hidden: true }).action(async () => (await import('./follow-command.js')).follow(context));
  program.addHelpText(
    'after',
    `
Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 4 not enrolled, 5 agent or server out of reach,
6 a newer agent has written the state.
Keeps its things in CURFEW_STATE_DIR (/var/lib/curfew) and CURFEW_RUNTIME_DIR (/run/curfew); on macOS below
/var/db and /var/run.
Keeps recordings that the server does not have yet in CURFEW_RECORDING_LIMIT (256MiB) of disk space at the most.
Searches for setuid files and the like where CURFEW_PRIVILEGED_FILES says: all, off, or folders separated by ':'.`,
  );
  return program;
}
