import type { Command } from 'commander';
import { addressFlag, newProgram } from '@curfew/shared/cli';
import { addAuditCommands } from './audit-command.js';
import { addCallCommand } from './call-command.js';
import { addChannelCommands } from './channels-command.js';
import { addCompletionCommand } from './completion-command.js';
import { addDeviceCommands } from './devices-command.js';
import { addLoginCommands } from './login-command.js';
import { addPolicyCommands } from './policies-command.js';
import { addReleaseCommands } from './releases-command.js';
import { addRequestCommands } from './requests-command.js';
import { addResourceCommands } from './resources-command.js';
import { addSessionCommands } from './sessions-command.js';
import type { ToolContext } from './tool-context.js';
import { addTokenCommands, addUserCommands } from './users-command.js';

/** curfewctl's whole tree of commands. Building it loads nothing that talks to a server. */
export function operatorProgram(context: ToolContext): Command {
  const program = newProgram('curfewctl', 'Operate Curfew: temporary admin rights.', context.version, context)
    .option('--server <host:port>', 'the server (CURFEW_SERVER)', addressFlag)
    .option('--token <token>', 'the API token (CURFEW_TOKEN is safer: others can see command lines)')
    .option('--ca <file>', "the server's CA certificate (CURFEW_CA)");
  addLoginCommands(program, context);
  addRequestCommands(program, context);
  addSessionCommands(program, context);
  addDeviceCommands(program, context);
  addReleaseCommands(program, context);
  addUserCommands(program, context);
  addPolicyCommands(program, context);
  addResourceCommands(program, context);
  addTokenCommands(program, context);
  addAuditCommands(program, context);
  addChannelCommands(program, context);
  addCallCommand(program, context);
  addCompletionCommand(program, context);
  program.addHelpText(
    'after',
    `
Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 timed out waiting, 4 not signed in, 5 server out of reach.
Ids may be shortened to a unique prefix. Durations: 90s, 30m, 1h30m, PT30M.`,
  );
  return program;
}
