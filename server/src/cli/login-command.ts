import type { Command } from 'commander';
import type { ToolContext } from './tool-context.js';

/** Adds `login`, `whoami` and `server info`. */
export function addLoginCommands(program: Command, context: ToolContext): void {
  program
    .command('login')
    .description('check a server, its CA and an API token, and keep them for later commands')
    .option('--ca-fingerprint <hex>', "fetch the server's CA, and take it only with this SHA-256")
    .addHelpText(
      'after',
      `
Needs --server HOST:PORT, and --ca FILE or --ca-fingerprint HEX. Without --token, the token is asked for on a terminal,
else read from stdin. Kept in ~/.config/curfew/config.yaml, readable by you alone.`,
    )
    .action(async (flags: { caFingerprint?: string }, command: Command) =>
      (await import('./login.js')).login(context, command, flags),
    );
  program
    .command('whoami')
    .description('show whom the server takes you for, and what you may do')
    .action(async (_flags: object, command: Command) => (await import('./login.js')).whoAmI(context, command));
  program
    .command('server')
    .description('the server itself')
    .command('info')
    .description("show the server's version and standing")
    .action(async (_flags: object, command: Command) => (await import('./login.js')).serverInfo(context, command));
}
