import { Argument, Option, type Command } from 'commander';
import {
  commandFlag,
  completionScript,
  durationFlag,
  groupFlag,
  MINUTE,
  newProgram,
  reasonFlag,
  SHELLS,
  ticketFlag,
  usageError,
  type Shell,
} from '@curfew/shared/cli';
import type { PersonContext } from './person-context.js';
import type { RequestFlags, ResourceEndFlags, ResourceRequestFlags, SudoFlags } from './person-flags.js';

/** What to do next, by the code of the error. */
export const HINTS: Readonly<Record<string, string>> = {
  AGENT_UNREACHABLE: 'an administrator of this device can see why with: curfew-agent status',
  SERVER_UNREACHABLE: 'what you have goes on and ends on time; asking and starting need the server, so try again later',
  REQUEST_NOT_FOUND: "see yours with: curfew status; ask with: curfew request --for 30m --reason '…'",
  NOTHING_APPROVED: "see yours with: curfew status; ask with: curfew request --for 30m --reason '…'",
  REQUEST_NOT_APPROVED: 'see how it stands with: curfew status',
  REQUEST_ALREADY_OPEN: 'see it with: curfew status',
  SESSION_NOT_FOUND: 'see yours with: curfew status',
  POLICY_DENIES: 'an operator can see why with: curfewctl policies explain',
  RESOURCE_NOT_FOUND: 'see what you may ask for with: curfew resources list',
  FRESH_SIGN_IN_REQUIRED: "sign in to Curfew's console and do it there, under My access",
  ID_AMBIGUOUS: 'see yours with: curfew status',
};

const actions = () => import('./person-actions.js');
const resourceActions = () => import('./resource-actions.js');

/** curfew's whole tree of commands. Building it loads nothing that talks to the agent. */
export function personProgram(context: PersonContext): Command {
  const program = newProgram(
    'curfew',
    'Ask for admin rights on this device, and for access to resources; use them, give them back.',
    context.version,
    context,
  );
  addRequest(program, context);
  program
    .command('start [id]')
    .description('start an approved request; comes back when the right is there')
    .action(async (id: string | undefined, _flags: object, command: Command) =>
      (await actions()).start(context, command, id),
    );
  program
    .command('status')
    .description('show what you have, what you have asked for, and what to type next')
    .action(async (_flags: object, command: Command) => (await actions()).status(context, command));
  program
    .command('watch')
    .description('show your status as it changes: live on a terminal, else JSON lines')
    .action(async (_flags: object, command: Command) => (await actions()).watch(context, command));
  program
    .command('end [id]')
    .description(
      'give the right back now: all that you have on this device, or one session; works without the server, too',
    )
    .action(async (id: string | undefined, _flags: object, command: Command) =>
      (await actions()).end(context, command, id),
    );
  program
    .command('cancel <id>')
    .description('withdraw a request')
    .action(async (id: string, _flags: object, command: Command) => (await actions()).cancel(context, command, id));
  addSudo(program, context);
  addResources(program, context);
  program
    .command('completion')
    .description('print a completion script, as in: source <(curfew completion bash)')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: Shell) => {
      context.stdout.write(completionScript(program, shell));
    });
  program.addHelpText(
    'after',
    `
Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 timed out waiting, 5 agent or server out of reach.
Ids may be shortened to a unique prefix. Durations: 90s, 30m, 1h30m, PT30M.`,
  );
  return program;
}

function addRequest(program: Command, context: PersonContext): void {
  program
    .command('request')
    .description('ask for admin rights')
    .requiredOption('--for <duration>', 'for how long', durationFlag)
    .requiredOption('--reason <text>', 'why; whoever decides sees it', reasonFlag)
    .option('--command <line>', 'ask for this command only, exactly; may be repeated', commandFlag)
    .option('--run-as <account>', 'the account that commands run as (default: root)')
    .addOption(
      new Option('--group [name]', "ask for membership of a group instead of sudo (default: the administrators' group)")
        .argParser(groupFlag)
        .conflicts(['command', 'runAs']),
    )
    .option('--ticket <id>', 'the ticket, where the policy wants one', ticketFlag)
    .option('--break-glass', 'start without a decision, to be reviewed afterwards, where the policy allows that')
    .option('--wait', 'wait for the decision')
    .option('--timeout <duration>', 'how long --wait waits (default: until it is decided)', durationFlag)
    .action(async (flags: RequestFlags, command: Command) => (await actions()).request(context, command, flags));
}

function addSudo(program: Command, context: PersonContext): void {
  program
    .command('sudo <command...>')
    .usage('--reason <text> [options] -- COMMAND…')
    .description('run one command with sudo: ask, wait for the decision, start, run, and give the right back')
    .option('--reason <text>', 'why; whoever decides sees it; not needed when you have the right already', reasonFlag)
    .addOption(
      new Option('--for <duration>', 'for how long to ask').argParser(durationFlag).default(15 * MINUTE, '15m'),
    )
    .option('--ticket <id>', 'the ticket, where the policy wants one', ticketFlag)
    .option('--only', 'ask for the right to run exactly this command and no other')
    .option('--keep', 'keep the right until its time is over, instead of giving it back after the command')
    .option('--timeout <duration>', 'how long to wait for the decision (default: until it is decided)', durationFlag)
    .addHelpText(
      'after',
      `
A right that you had before, or had asked for before, is used and left as it is: only what this command itself has
asked for is given back. The exit code is the command's own.`,
    )
    .action(async (argv: string[], flags: SudoFlags, command: Command) => {
      if (flags.only === true && argv[0]?.startsWith('/') !== true)
        usageError(command, "with --only, write the program's absolute path, such as /usr/bin/apt");
      return (await import('./sudo.js')).runWithSudo(context, command, argv, flags);
    });
}

function addResources(program: Command, context: PersonContext): void {
  const resources = program
    .command('resources')
    .description('groups, roles and teams elsewhere that you can have for a time');
  resources
    .command('list')
    .description('show what you may ask for, who decides, and what you have')
    .action(async (_flags: object, command: Command) => (await resourceActions()).listResources(context, command));
  resources
    .command('request <resource>')
    .description('ask for a resource; once it is approved it begins by itself')
    .option('--for <duration>', 'for how long (default: what the policy proposes)', durationFlag)
    .requiredOption('--reason <text>', 'why; whoever decides sees it', reasonFlag)
    .option('--ticket <id>', 'the ticket, where the policy wants one', ticketFlag)
    .option('--account <name>', 'your account on the other device whose group it is (default: your only one there)')
    .option('--break-glass', 'start without a decision, to be reviewed afterwards, where the policy allows that')
    .option('--wait', 'wait for the decision, and until the resource has given it')
    .option('--timeout <duration>', 'how long --wait waits (default: until it is there)', durationFlag)
    .action(async (resource: string, flags: ResourceRequestFlags, command: Command) =>
      (await resourceActions()).requestResource(context, command, resource, flags),
    );
  resources
    .command('end <resource>')
    .description('give a resource back now')
    .option('--wait', 'wait until the resource has confirmed it')
    .option('--timeout <duration>', 'how long --wait waits (default: until it is confirmed)', durationFlag)
    .action(async (resource: string, flags: ResourceEndFlags, command: Command) =>
      (await resourceActions()).endResource(context, command, resource, flags),
    );
}
