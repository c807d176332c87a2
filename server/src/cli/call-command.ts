import type { Command } from 'commander';
import type { ToolContext } from './tool-context.js';

/** Adds `call SERVICE/METHOD [JSON]`. */
export function addCallCommand(program: Command, context: ToolContext): void {
  program
    .command('call [method] [json]')
    .description("call any method of the API with a JSON body ('-' reads it from stdin); without a method, list them")
    .addHelpText(
      'after',
      `
The service's package may be left out: SessionService/ListSessions is curfew.admin.v1.SessionService/ListSessions.
Streams are printed as JSON lines. Example: curfewctl call SessionService/ListSessions '{"pageSize": 10}'`,
    )
    .action(async (method: string | undefined, json: string | undefined, _flags: object, command: Command) =>
      (await import('./call.js')).call(context, command, method, json),
    );
}
