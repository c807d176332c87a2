import { Argument, type Command } from 'commander';
import { completionScript, SHELLS, type Shell } from '@curfew/shared/cli';
import type { ToolContext } from './tool-context.js';

/** Adds `completion SHELL`. */
export function addCompletionCommand(program: Command, context: ToolContext): void {
  program
    .command('completion')
    .description('print a completion script, as in: source <(curfewctl completion bash)')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: Shell) => {
      context.stdout.write(completionScript(program, shell));
    });
}
