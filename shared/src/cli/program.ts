import { Command, CommanderError, Option } from 'commander';
import { CurfewError } from '../curfew-error.js';
import { safeText } from '../safe-text.js';
import { CallFailure } from './call-failure.js';
import { EXIT, exitCodeOf } from './exit-code.js';
import { OUTPUT_FORMATS, type OutputFormat } from './output.js';
import { say, type Terminal } from './terminal.js';

/** How a tool ends when it has said everything that there is to say, and it was not a success. */
export class Exit extends Error {
  override readonly name = 'Exit';

  constructor(readonly exitCode: number) {
    super(`exit ${exitCode}`);
  }
}

/** The top of a command line tool. Commands that are added to it inherit how errors and help are shown. */
export function newProgram(name: string, description: string, version: string, terminal: Terminal): Command {
  return new Command(name)
    .description(description)
    .version(version, '-V, --version')
    .addOption(
      new Option('-o, --output <format>', 'how data is printed on stdout').choices(OUTPUT_FORMATS).default('table'),
    )
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
      outputError: (text, write) => write(`${name}: ${oneLine(text)}\n`),
    })
    .showSuggestionAfterError();
}

/** What was typed may hold escapes, and comes back in messages. The suggestion is on a line of its own. */
const oneLine = (text: string): string =>
  text
    .replace(/^error: /, '')
    .trimEnd()
    .split('\n')
    .map(safeText)
    .join('\n');

/** The output format of a command, and whether the person chose it. */
export function outputOf(command: Command): { format: OutputFormat; chosen: boolean } {
  let top = command;
  while (top.parent !== null) top = top.parent;
  return {
    format: top.getOptionValue('output') as OutputFormat,
    chosen: top.getOptionValueSource('output') === 'cli',
  };
}

/** Says that the command line is wrong, and what would be right. The program ends with the code for wrong usage. */
export function usageError(command: Command, message: string): never {
  command.error(`error: ${message}`);
}

/**
 * Runs a tool to its end and gives its exit code. Every error is told on stderr in one line with its code, and a second
 * line where `hints` has one for the code: what to do next.
 */
export async function runProgram(
  program: Command,
  argv: readonly string[],
  terminal: Terminal,
  hints: Readonly<Partial<Record<string, string>>> = {},
): Promise<number> {
  try {
    await program.parseAsync(argv, { from: 'user' });
    return EXIT.done;
  } catch (error) {
    if (error instanceof Exit) return error.exitCode;
    if (error instanceof CommanderError) return commanderExit(program, error, terminal);
    if (error instanceof CallFailure || error instanceof CurfewError) {
      say(terminal, `${program.name()}: ${safeText(error.message)} [${safeText(error.code)}]`);
      const hint = hints[error.code];
      if (hint !== undefined) say(terminal, hint);
      return error instanceof CallFailure ? error.exitCode : exitCodeOf(error.code);
    }
    const detail = error instanceof Error ? error.message : String(error);
    say(terminal, `${program.name()}: ${safeText(detail)}`);
    if (terminal.env['CURFEW_DEBUG'] === '1' && error instanceof Error) say(terminal, error.stack ?? '');
    return EXIT.refused;
  }
}

function commanderExit(program: Command, error: CommanderError, terminal: Terminal): number {
  if (error.exitCode === 0) return EXIT.done;
  if (error.code !== 'commander.help') say(terminal, `see ${program.name()} --help`);
  return EXIT.usage;
}
