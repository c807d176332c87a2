import type { Command } from 'commander';
import {
  AccessRequest,
  AccessRequestState,
  EndRequest,
  ListOffersRequest,
  LocalServiceService as service,
  ResourceOffer,
  SessionState,
  type LocalStatus,
  type Session,
} from '@curfew/proto';
import {
  durationMs,
  Exit,
  EXIT,
  MINUTE,
  outputOf,
  printList,
  printOne,
  protoJson,
  safeText,
  say,
  type DurationMs,
} from '@curfew/shared/cli';
import { withAgent, type AgentConnection } from './agent-connection.js';
import { followStatus, WAITING } from './follow-status.js';
import { offersTable } from './offer-text.js';
import { known, printResourceSession, requestOf } from './person-actions.js';
import type { PersonContext } from './person-context.js';
import type { ResourceEndFlags, ResourceRequestFlags } from './person-flags.js';
import { requestLines } from './request-text.js';
import { resourceSessionLines } from './session-text.js';
import { serverNow } from './status-text.js';
import { msOf } from './text-parts.js';

/** What is asked for where neither the person nor a policy says how long. */
const USUAL_DURATION = durationMs(30 * MINUTE);

/** `resources list`. */
export async function listResources(context: PersonContext, command: Command): Promise<void> {
  const answer = await withAgent(context, (agent) =>
    agent.unary(service.listOffers, ListOffersRequest.fromPartial({})),
  );
  const now = serverNow(answer, { now: context.clock.now(), ageMs: 0 });
  await printList(context, outputOf(command).format, {
    items: answer.offers,
    json: (offer) => protoJson(ResourceOffer.toJSON(offer)),
    table: (offers, look) => offersTable(offers, now, look),
    none: 'no resource is open to you; an operator can add policies that let you ask',
  });
}

/** `resources request NAME`: done when the server holds it; with --wait, when the resource has given it. */
export async function requestResource(
  context: PersonContext,
  command: Command,
  resource: string,
  flags: ResourceRequestFlags,
): Promise<void> {
  await withAgent(context, async (agent) => {
    const length = flags.for ?? (await usualDuration(agent, resource));
    const wish = requestOf(length, flags.reason, undefined, flags);
    const asked = { ...wish, resource, resourceAccount: flags.account ?? '' };
    const made = known((await agent.unary(service.requestAccess, asked)).request);
    if (flags.wait !== true) {
      await print(context, command, { request: made, session: undefined, asOfTime: undefined });
      return;
    }
    const outcome = await untilGiven(context, agent, made, flags.timeout);
    await print(context, command, outcome);
    if (outcome.session?.state !== SessionState.ACTIVE) throw new Exit(EXIT.refused);
  });
}

/** What the policy proposes. What is not offered is asked for all the same: the server says why it is refused. */
async function usualDuration(agent: AgentConnection, resource: string): Promise<DurationMs> {
  const { offers } = await agent.unary(service.listOffers, ListOffersRequest.fromPartial({}));
  const wanted = resource.toLowerCase();
  const offer = offers.find(({ resourceName, resourceId }) =>
    [resourceName.toLowerCase(), resourceId].includes(wanted),
  );
  const proposed = offer?.answer?.defaultDuration;
  return proposed === undefined ? USUAL_DURATION : durationMs(msOf(proposed));
}

interface Outcome {
  readonly request: AccessRequest;
  readonly session: Session | undefined;
  readonly asOfTime: Date | undefined;
}

/** Waits until a request has come to nothing, or its session is active or over. Errors: WAIT_TIMED_OUT; Exit after Ctrl-C. */
async function untilGiven(
  context: PersonContext,
  agent: AgentConnection,
  asked: AccessRequest,
  timeout: DurationMs | undefined,
): Promise<Outcome> {
  for (const line of requestLines(asked, context.clock.now()).slice(0, 2)) say(context, line);
  const what = `the resource; see how it stands with: curfew status (withdraw with: curfew cancel ${safeText(asked.id)})`;
  return followStatus(context, agent, { resources: true, timeout, what, announce: WAITING }, (status) =>
    outcomeOf(status, asked.id),
  );
}

function outcomeOf({ resources }: LocalStatus, requestId: string): Outcome | undefined {
  const request = resources?.requests.find(({ id }) => id === requestId);
  if (request === undefined || request.state === AccessRequestState.PENDING) return undefined;
  const session = resources?.sessions.find(({ id }) => id === request.sessionId);
  if (request.state === AccessRequestState.STARTED && session?.state === SessionState.STARTING) return undefined;
  return { request, session, asOfTime: resources?.asOfTime };
}

/** `resources end NAME`: done when the end is decided; with --wait, when the resource has confirmed it. */
export async function endResource(
  context: PersonContext,
  command: Command,
  resource: string,
  flags: ResourceEndFlags,
): Promise<void> {
  await withAgent(context, async (agent) => {
    const { resourceSession } = await agent.unary(service.end, EndRequest.fromPartial({ resource }));
    const ending = known(resourceSession);
    const ended = flags.wait === true ? await untilEnded(context, agent, ending, flags.timeout) : ending;
    await printResourceSession(context, command, ended);
  });
}

async function untilEnded(
  context: PersonContext,
  agent: AgentConnection,
  { id }: Session,
  timeout: DurationMs | undefined,
): Promise<Session> {
  const what = 'the resource to confirm; it is asked until it does, see it with: curfew status';
  return followStatus(context, agent, { resources: true, timeout, what }, ({ resources }) => {
    const session = resources?.sessions.find((one) => one.id === id);
    return session?.state === SessionState.ENDED ? session : undefined;
  });
}

/** A request; to people its session instead, once there is one. */
const print = (context: PersonContext, command: Command, { request, session, asOfTime }: Outcome): Promise<void> =>
  printOne(context, outputOf(command).format, {
    json: protoJson(AccessRequest.toJSON(request)),
    text: () => {
      const now = serverNow({ asOfTime }, { now: context.clock.now(), ageMs: 0 });
      const lines = session === undefined ? requestLines(request, now) : resourceSessionLines(session, now);
      return `${lines.join('\n')}\n`;
    },
  });
