import type { Command } from 'commander';
import { countFlag } from '@curfew/shared/cli';
import type { AuditPick } from './audit-flags.js';
import type { ToolContext } from './tool-context.js';

/** Adds `audit …`. */
export function addAuditCommands(program: Command, context: ToolContext): void {
  const audit = program.command('audit').description('the audit log: see, export, verify');
  audit
    .command('list')
    .description('list events, newest first')
    .option('--type <prefix>', "only types that start with this, such as 'session.'")
    .option('--actor <actor>', "only by this actor, such as 'user:alice'")
    .option('--subject <id>', 'only about this id')
    .option('--limit <count>', 'at most this many', countFlag(1, 1_000_000), 100)
    .action(async (flags: AuditPick, command: Command) =>
      (await import('./audit-actions.js')).listEvents(context, command, flags),
    );
  audit
    .command('export <file>')
    .description("write the whole log, its checkpoint and its key to a file; '-' is stdout")
    .action(async (file: string, _flags: object, command: Command) =>
      (await import('./audit-actions.js')).exportLog(context, command, file),
    );
  audit
    .command('verify <file>')
    .description('check an export, offline: finds every record that was changed, removed, swapped or added')
    .option('--key <key>', 'the verification key, from elsewhere than the export')
    .action(async (file: string, flags: { key?: string }, command: Command) =>
      (await import('./audit-verify.js')).verifyExport(context, command, file, flags.key),
    );
}
