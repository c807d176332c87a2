import type { Command } from 'commander';
import {
  ApplyPoliciesRequest,
  ApplyPoliciesResponse,
  LoweredLimit,
  PolicyServiceService as service,
  type PolicyChange,
} from '@curfew/proto';
import { Exit, EXIT, lookOf, outputOf, printOne, protoJson, safeText, say } from '@curfew/shared/cli';
import { ask } from './ask.js';
import { readGivenFile } from './given-file.js';
import { lineDiff } from './line-diff.js';
import type { ApplyFlags } from './policies-flags.js';
import { withServer } from './server-connection.js';
import { sessionTable } from './session-table.js';
import type { ToolContext } from './tool-context.js';

/**
 * `policies apply -f FILE`: shows what would change, asks, and does that and nothing else: should the policies have
 * changed in between, nothing is done. Without a terminal it takes --yes.
 */
export async function applyPolicies(context: ToolContext, command: Command, flags: ApplyFlags): Promise<void> {
  const text = await readGivenFile(context, flags.file);
  const { format } = outputOf(command);
  const wish = { text, prune: flags.prune === true, loweredLimit: LIMITS[flags.running ?? 'keep'] };
  await withServer(context, command, async (server) => {
    const planned = await server.unary(
      service.applyPolicies,
      ApplyPoliciesRequest.fromPartial({ ...wish, dryRun: true }),
    );
    const print = (answer: ApplyPoliciesResponse): Promise<void> =>
      printOne(context, format, {
        json: protoJson(ApplyPoliciesResponse.toJSON(answer)),
        text: () => changesText(answer.changes),
      });
    const nothing = planned.changes.every(({ action }) => action === 'unchanged') && flags.running !== 'shorten';
    if (flags.dryRun === true || nothing) {
      await print(planned);
      if (nothing) say(context, 'nothing to change');
      else tellOfSessions(context, planned, flags);
      return;
    }
    if (flags.yes !== true) {
      context.stderr.write(changesText(planned.changes));
      tellOfSessions(context, planned, flags);
      await confirmed(context);
    }
    const done = await server.unary(
      service.applyPolicies,
      ApplyPoliciesRequest.fromPartial({ ...wish, etag: planned.etag }),
    );
    await print(done);
    if (flags.yes === true) tellOfSessions(context, done, flags);
    const changed = done.changes.filter(({ action }) => action !== 'unchanged').length;
    say(context, `applied: ${changed} ${changed === 1 ? 'change' : 'changes'}`);
  });
}

const LIMITS = { keep: LoweredLimit.KEEP, shorten: LoweredLimit.SHORTEN } as const;

/** Each change with its lines; what stays as it is has one line only. */
function changesText(changes: readonly PolicyChange[]): string {
  return changes
    .flatMap(({ name, action, before, after }) => [
      `${action}: ${name}`,
      ...(['unchanged', 'moved'].includes(action) ? [] : lineDiff(before, after).map((line) => `  ${line}`)),
    ])
    .map((line) => `${safeText(line)}\n`)
    .join('');
}

function tellOfSessions(context: ToolContext, { longerSessions }: ApplyPoliciesResponse, flags: ApplyFlags): void {
  if (longerSessions.length === 0) return;
  const what = longerSessions.length === 1 ? '1 running session' : `${longerSessions.length} running sessions`;
  const choice =
    flags.running === 'shorten'
      ? 'cut to the new limit, or ended where it is over'
      : 'kept as approved; --running shorten would cut them to the new limit';
  say(context, `${what} would not be allowed for so long any more: ${choice}`);
  context.stderr.write(sessionTable(longerSessions, context.clock.now(), lookOf(context.stderr, context.env)));
}

/** Asks on the terminal. Errors: leaves with 1 when the answer is no or none, or there is nobody to ask; 130 on Ctrl-C. */
async function confirmed(context: ToolContext): Promise<void> {
  if (!context.stdin.isTTY) {
    say(context, 'nothing was done: there is nobody to ask here, so pass --yes');
    throw new Exit(EXIT.refused);
  }
  const asked = await ask({ input: context.stdin, output: process.stderr }, 'apply these changes? [y/N] ');
  if ('text' in asked && /^y(es)?$/i.test(asked.text.trim())) return;
  // Behind a question that was not answered the line is still open.
  if (!('text' in asked)) context.stderr.write('\n');
  say(context, 'nothing was done');
  throw new Exit('text' in asked ? EXIT.refused : asked.exitCode);
}
