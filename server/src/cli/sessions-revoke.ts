import type { Command } from 'commander';
import { RevokeOutcome, RevokeResult, RevokeSessionsRequest, SessionServiceService as service } from '@curfew/proto';
import {
  durationMs,
  Exit,
  EXIT,
  LiveScreen,
  lookOf,
  outputOf,
  printList,
  protoJson,
  say,
  SECOND,
  sleep,
  type DurationMs,
} from '@curfew/shared/cli';
import { durationToProto } from './proto-values.js';
import { withServer, type ServerConnection } from './server-connection.js';
import { revokeSummary, revokeTable } from './session-table.js';
import type { RevokeFlags } from './sessions-flags.js';
import type { ToolContext } from './tool-context.js';

/** How long one question to the server waits, so that the live summary moves. */
const SLICE = durationMs(2 * SECOND);
/** At least this long passes between two questions, should the server answer at once. */
const PAUSE = durationMs(250);

/**
 * `sessions revoke`. Done (0) when the ledger holds the end of each; with --wait, when each device has confirmed, and
 * timed out (3) when one has not: its right then dies by itself at the time shown.
 */
export async function revokeSessions(
  context: ToolContext,
  command: Command,
  ids: readonly string[],
  flags: RevokeFlags,
): Promise<void> {
  const results = await withServer(context, command, async (server) => {
    const first = await server.unary(
      service.revokeSessions,
      RevokeSessionsRequest.fromPartial({ selection: selectionOf(ids, flags), reason: flags.reason }),
    );
    return flags.wait === true ? await untilEffective(context, server, first.results, flags) : first.results;
  });
  const now = context.clock.now();
  if (results.length > 0) say(context, revokeSummary(results, now));
  await printList(context, outputOf(command).format, {
    items: results,
    json: (result) => protoJson(RevokeResult.toJSON(result)),
    table: (items, look) => revokeTable(items, now, look),
    none: `no live sessions${takesBack(flags) ? '; approvals that were not started are taken back' : ': nothing to revoke'}`,
  });
  const open = results.filter(({ outcome }) => outcome !== RevokeOutcome.EFFECTIVE);
  if (open.length === 0) return;
  if (flags.wait === true) throw new Exit(EXIT.timedOut);
  say(context, 'follow it with: curfewctl sessions watch');
}

/** Whether the revoke takes back what was approved, too. */
const takesBack = ({ user, device, everything }: RevokeFlags): boolean =>
  user !== undefined || device !== undefined || everything === true;

function selectionOf(ids: readonly string[], flags: RevokeFlags): RevokeSessionsRequest['selection'] {
  if (flags.user !== undefined) return { $case: 'user', value: flags.user };
  if (flags.device !== undefined) return { $case: 'device', value: flags.device };
  if (flags.resource !== undefined) return { $case: 'resource', value: flags.resource };
  if (flags.everything === true) return { $case: 'everything', value: true };
  return { $case: 'sessions', value: { ids: [...ids] } };
}

async function untilEffective(
  context: ToolContext,
  server: ServerConnection,
  first: readonly RevokeResult[],
  flags: RevokeFlags,
): Promise<RevokeResult[]> {
  const { clock } = context;
  const results = new Map(first.map((result) => [result.session?.id ?? '', result]));
  const screen = context.stderr.isTTY === true ? new LiveScreen({ ...context, stdout: context.stderr }) : undefined;
  const deadline = clock.bootTime() + flags.timeout;
  for (;;) {
    const open = [...results].filter(([, { outcome }]) => outcome !== RevokeOutcome.EFFECTIVE).map(([id]) => id);
    const left = deadline - clock.bootTime();
    if (open.length === 0 || left <= 0) {
      screen?.clear();
      return [...results.values()];
    }
    screen?.draw(liveSummary(context, [...results.values()]));
    const asked = clock.bootTime();
    const wait = durationMs(Math.min(SLICE, Math.ceil(left)));
    for (const result of await askAgain(server, open, flags.reason, wait))
      results.set(result.session?.id ?? '', result);
    const quick = clock.bootTime() - asked < PAUSE;
    if (quick && [...results.values()].some(({ outcome }) => outcome !== RevokeOutcome.EFFECTIVE))
      await sleep(clock, PAUSE);
  }
}

/** Revoking is idempotent, so asking again with a wait tells how far it has come. */
async function askAgain(
  server: ServerConnection,
  ids: string[],
  reason: string,
  wait: DurationMs,
): Promise<RevokeResult[]> {
  const request = { selection: { $case: 'sessions' as const, value: { ids } }, reason, wait: durationToProto(wait) };
  const { results } = await server.unary(service.revokeSessions, RevokeSessionsRequest.fromPartial(request), wait);
  return results;
}

function liveSummary(context: ToolContext, results: readonly RevokeResult[]): string {
  const now = context.clock.now();
  const open = results.filter(({ outcome }) => outcome !== RevokeOutcome.EFFECTIVE);
  return `${revokeSummary(results, now)}\n${revokeTable(open, now, lookOf(context.stderr, context.env))}`;
}
