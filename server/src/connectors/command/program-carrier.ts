import { durationMs, SECOND, type Clock } from '@curfew/shared';
import { ConnectorError } from '../connector.js';
import { operationToJson, type Operation } from '../operations/operation.js';
import type { OperationCarrier } from '../operations/operation-connector.js';
import { shownProblem } from '../shown-problem.js';
import { withinLimit } from '../within-limit.js';
import { allowedProgram } from './allowed-program.js';
import { MOST_OUTPUT_BYTES, runProgram, type ProgramEnd } from './run-program.js';

/** One program as an admin has set it up. */
export interface ProgramSetup {
  /** Programs elsewhere are not run; '' runs none. */
  readonly folder: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  /** What is never shown, though the program may say it. */
  readonly secrets: readonly string[];
  readonly resource: string;
}

/** How long one run may take. */
const RUN_LIMIT_MS = durationMs(20 * SECOND);

/** EX_TEMPFAIL of sysexits.h: it could be well later. */
const TRY_LATER = 75;

/** The rest of the environment of each run. */
const FIXED_VARIABLES = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };

/** Runs the program once for each operation. What people chose goes to its standard input alone. */
export class ProgramCarrier implements OperationCarrier {
  constructor(
    private readonly setup: ProgramSetup,
    private readonly clock: Clock,
  ) {}

  carry(operation: Operation, signal: AbortSignal): Promise<unknown> {
    return withinLimit({
      clock: this.clock,
      limitMs: RUN_LIMIT_MS,
      signal,
      work: async (stop) => this.answerOf(operation, await this.run(operation, stop)),
    });
  }

  close(): void {}

  private async run(operation: Operation, signal: AbortSignal): Promise<ProgramEnd> {
    const { folder, program, args, variables, resource } = this.setup;
    const file = await allowedProgram(folder, program);
    const input = `${JSON.stringify(operationToJson(resource, operation))}\n`;
    try {
      return await runProgram({ program: file, args, env: { ...variables, ...FIXED_VARIABLES }, input, signal });
    } catch (cause) {
      throw new ConnectorError('unreachable', `${program} cannot be run`, undefined, { cause });
    }
  }

  private answerOf({ operation }: Operation, { exitCode, signal, stdout, stderr }: ProgramEnd): unknown {
    const { program, secrets } = this.setup;
    if (stdout === undefined)
      throw new ConnectorError('refused', `${program} wrote more than ${MOST_OUTPUT_BYTES} bytes`);
    if (exitCode === 0) return parsed(operation, stdout);
    const end = exitCode === null ? `was ended by ${signal ?? 'a signal'}` : `ended with exit code ${exitCode}`;
    const said = shownProblem(stderr, secrets);
    const kind = exitCode === null || exitCode === TRY_LATER ? 'unreachable' : 'refused';
    throw new ConnectorError(kind, `${program} ${end}${said === '' ? '' : `: ${said}`}`);
  }
}

function parsed(operation: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ConnectorError('refused', `the answer to '${operation}' is no JSON`);
  }
}
