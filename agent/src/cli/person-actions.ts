import type { Command } from 'commander';
import {
  AccessRequest,
  AccessRequestState,
  CancelRequestRequest,
  EndRequest,
  GetStatusRequest,
  GrantKind,
  LocalServiceService as service,
  LocalSession,
  LocalStatus,
  RequestAccessRequest,
  Session,
  StartRequest,
  type GrantOptions,
} from '@curfew/proto';
import {
  CurfewError,
  durationMs,
  everySecond,
  Exit,
  EXIT,
  LiveScreen,
  outputOf,
  printList,
  printOne,
  printStreamed,
  protoJson,
  SECOND,
  type DurationMs,
} from '@curfew/shared/cli';
import { withAgent } from './agent-connection.js';
import { untilDecided } from './decision.js';
import { interruptible } from './interrupt.js';
import type { PersonContext } from './person-context.js';
import type { RequestFlags } from './person-flags.js';
import { requestLines } from './request-text.js';
import { resourceSessionLines, sessionLines } from './session-text.js';
import { statusText } from './status-text.js';

/** How long starting may take: the server's answer, the grant and its reading back. */
export const START_WITHIN = durationMs(90 * SECOND);

/** `request`: done when the server holds it; with --wait, when it is approved. */
export async function request(context: PersonContext, command: Command, flags: RequestFlags): Promise<void> {
  await withAgent(context, async (agent) => {
    const wish = requestOf(flags.for, flags.reason, optionsOf(flags), flags);
    const answer = await agent.unary(service.requestAccess, wish);
    const made = known(answer.request);
    if (flags.wait !== true) {
      await printRequest(context, command, made);
      return;
    }
    const decided = await untilDecided(context, agent, made, flags.timeout);
    await printRequest(context, command, decided);
    if (decided.state !== AccessRequestState.APPROVED && decided.state !== AccessRequestState.STARTED)
      throw new Exit(EXIT.refused);
  });
}

/** What a request is for; nothing means the server's defaults. */
function optionsOf({ command, runAs, group }: RequestFlags): Partial<GrantOptions> | undefined {
  if (group !== undefined) return { kind: GrantKind.GROUP_MEMBERSHIP, group: group === true ? '' : group };
  if (command === undefined && runAs === undefined) return undefined;
  return { commands: (command ?? []).map((argv) => ({ argv })), runAs: runAs ?? '' };
}

/** The request for a right. */
export const requestOf = (
  duration: DurationMs,
  reason: string,
  options: Partial<GrantOptions> | undefined,
  { ticket = '', breakGlass = false }: Pick<RequestFlags, 'ticket' | 'breakGlass'> = {},
): RequestAccessRequest =>
  RequestAccessRequest.fromPartial({
    duration: { seconds: BigInt(Math.floor(duration / 1000)), nanos: (duration % 1000) * 1_000_000 },
    reason,
    ticket,
    breakGlass,
    ...(options === undefined ? {} : { options }),
  });

/** `start [ID]`. */
export async function start(context: PersonContext, command: Command, id: string | undefined): Promise<void> {
  const { session } = await withAgent(context, (agent) =>
    agent.unary(service.start, StartRequest.fromPartial({ requestId: id ?? '' }), START_WITHIN),
  );
  await printOne(context, outputOf(command).format, {
    json: protoJson(LocalSession.toJSON(known(session))),
    text: () => `${sessionLines(known(session), { now: context.clock.now(), ageMs: 0 }).join('\n')}\n`,
  });
}

/** `end [ID]`: done when the right is read back as gone; of a resource, when its end is decided. */
export async function end(context: PersonContext, command: Command, id: string | undefined): Promise<void> {
  const { sessions, resourceSession } = await withAgent(context, (agent) =>
    agent.unary(service.end, EndRequest.fromPartial({ sessionId: id ?? '' })),
  );
  if (resourceSession !== undefined) {
    await printResourceSession(context, command, resourceSession);
    return;
  }
  await printList(context, outputOf(command).format, {
    items: sessions,
    json: (session) => protoJson(LocalSession.toJSON(session)),
    table: (items) =>
      items
        .flatMap((session) => sessionLines(session, { now: context.clock.now(), ageMs: 0 }))
        .map((line) => `${line}\n`)
        .join(''),
    none: 'you have no session to end',
  });
}

/** `cancel ID`. */
export async function cancel(context: PersonContext, command: Command, id: string): Promise<void> {
  const answer = await withAgent(context, (agent) =>
    agent.unary(service.cancelRequest, CancelRequestRequest.fromPartial({ requestId: id })),
  );
  await printRequest(context, command, known(answer.request));
}

/** `status`: works without the server. */
export async function status(context: PersonContext, command: Command): Promise<void> {
  const answer = await withAgent(context, (agent) =>
    agent.unary(service.getStatus, GetStatusRequest.fromPartial({ resources: true })),
  );
  const standing = known(answer.status);
  await printOne(context, outputOf(command).format, {
    json: protoJson(LocalStatus.toJSON(standing)),
    text: () => statusText(standing, { now: context.clock.now(), ageMs: 0 }),
  });
}

/** `watch`, until Ctrl-C. */
export async function watch(context: PersonContext, command: Command): Promise<void> {
  const { format, chosen } = outputOf(command);
  const stop = new AbortController();
  const release = interruptible(stop);
  const live = format === 'table' && context.stdout.isTTY === true;
  const screen = new LiveScreen(context);
  let last: { status: LocalStatus; bootTime: number } | undefined;
  const draw = (): void => {
    if (last === undefined) return;
    const ageMs = context.clock.bootTime() - last.bootTime;
    screen.draw(statusText(last.status, { now: context.clock.now(), ageMs }));
  };
  const stopTicking = live ? everySecond(context, draw) : () => undefined;
  try {
    await withAgent(context, async (agent) => {
      for await (const answer of agent.follow(service.watchStatus, { resources: true }, stop.signal)) {
        last = { status: known(answer.status), bootTime: context.clock.bootTime() };
        if (live) draw();
        else if (format === 'table' && chosen)
          context.stdout.write(statusText(last.status, { now: context.clock.now(), ageMs: 0 }));
        else
          await printStreamed(
            context,
            format === 'table' ? 'jsonl' : format,
            protoJson(LocalStatus.toJSON(last.status)),
          );
      }
    });
  } finally {
    stopTicking();
  }
  release();
}

/** A session of a resource, by the server's clock as far as this device's goes with it. */
export const printResourceSession = (context: PersonContext, command: Command, session: Session): Promise<void> =>
  printOne(context, outputOf(command).format, {
    json: protoJson(Session.toJSON(session)),
    text: () => `${resourceSessionLines(session, context.clock.now()).join('\n')}\n`,
  });

const printRequest = (context: PersonContext, command: Command, shown: AccessRequest): Promise<void> =>
  printOne(context, outputOf(command).format, {
    json: protoJson(AccessRequest.toJSON(shown)),
    text: () => `${requestLines(shown, context.clock.now()).join('\n')}\n`,
  });

/** What an agent that keeps its contract always sends. */
export function known<T>(value: T | undefined): T {
  if (value === undefined) throw new CurfewError('INTERNAL', { requestId: '(the answer was empty)' });
  return value;
}
