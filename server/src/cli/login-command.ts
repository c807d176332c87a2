import type { Command } from 'commander';
import { codeFlag, consoleFlag, userNameFlag } from './console-address.js';
import type { LoginFlags } from './login-flags.js';
import type { ToolContext } from './tool-context.js';

/** Adds `login`, `logout`, `whoami` and `server info`. */
export function addLoginCommands(program: Command, context: ToolContext): void {
  program
    .command('login')
    .description('sign in to a server, and keep that for later commands')
    .option('--ca-fingerprint <hex>', "fetch the server's CA, and take it only with this SHA-256")
    .option('--device', 'show a code, and wait until it is approved in the console; the default on a terminal')
    .option('--name <name>', 'sign in with this name and its password', userNameFlag)
    .option('--password-stdin', 'read the password from stdin instead of asking for it')
    .option('--code <code>', 'the one-time code, where one is needed', codeFlag)
    .option('--console <url>', "the console's address (default: port 7080 of the server)", consoleFlag)
    .addHelpText(
      'after',
      `
Needs --server HOST:PORT, and --ca FILE or --ca-fingerprint HEX. With --token, that API token is kept; without a terminal
and without --device or --name it is read from stdin. Kept in ~/.config/curfew/config.yaml, readable by you alone.`,
    )
    .action(async (flags: LoginFlags, command: Command) => (await import('./login.js')).login(context, command, flags));
  program
    .command('logout')
    .description('forget the sign-in; the token that login has made stops working')
    .action(async () => (await import('./login.js')).logout(context));
  program
    .command('whoami')
    .description('show whom the server takes you for, and what you may do')
    .action(async (_flags: object, command: Command) => (await import('./login.js')).whoAmI(context, command));
  const server = program.command('server').description('the server itself');
  server
    .command('info')
    .description("show the server's version and standing")
    .action(async (_flags: object, command: Command) => (await import('./login.js')).serverInfo(context, command));
  server
    .command('rotate-lease-keys')
    .description('make a new key for leases, and have devices trust it instead of the old one')
    .action(async (_flags: object, command: Command) => (await import('./login.js')).rotateLeaseKeys(context, command));
}
