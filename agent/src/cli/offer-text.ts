import { AccessRequestState, SessionState, type ResourceOffer } from '@curfew/proto';
import {
  decidersText,
  formatDuration,
  leftText,
  renderTable,
  type CellStyle,
  type Column,
  type InstantMs,
  type Look,
} from '@curfew/shared/cli';
import { msOf } from './text-parts.js';

/** The resources that a person may ask for, as a table. `now` is by the server's clock. */
export const offersTable = (offers: readonly ResourceOffer[], now: InstantMs, look: Look): string =>
  renderTable(columns(now), offers, look);

const columns = (now: InstantMs): readonly Column<ResourceOffer>[] => [
  { title: 'RESOURCE', value: ({ resourceName }) => resourceName },
  { title: 'YOU HAVE', value: (offer) => standingText(offer, now), style: standingStyle },
  { title: 'USUALLY', value: ({ answer }) => lengthText(answer?.defaultDuration) },
  { title: 'AT MOST', value: ({ answer }) => lengthText(answer?.maxDuration) },
  { title: 'WHO DECIDES', value: decisionText },
  { title: 'ASK WITH', value: ({ answer }) => (answer?.ticketRequired === true ? '--reason --ticket' : '--reason') },
  { title: 'WHAT IT IS', value: ({ description }) => description, flexible: true },
];

const lengthText = (duration: Parameters<typeof msOf>[0]): string =>
  duration === undefined ? '' : formatDuration(msOf(duration));

/** What they have of it, or have asked for; '' when neither. */
function standingText({ session, request }: ResourceOffer, now: InstantMs): string {
  if (session?.state === SessionState.ACTIVE) return `active, ${leftText(session.expireTime, now)} left`;
  if (session?.state === SessionState.STARTING) return 'starting';
  if (request?.state === AccessRequestState.PENDING)
    return `asked, ${leftText(request.decideByTime, now)} left to decide`;
  if (request?.state === AccessRequestState.APPROVED) return 'approved';
  return session?.state === SessionState.ENDING ? 'ending' : '';
}

const standingStyle = ({ session, request }: ResourceOffer): CellStyle | undefined => {
  if (session?.state === SessionState.ACTIVE) return 'green';
  return session === undefined && request === undefined ? undefined : 'yellow';
};

/** Who decides, or why it cannot be asked for now. */
function decisionText({ answer, request }: ResourceOffer): string {
  if (request?.state === AccessRequestState.PENDING && request.waitsFor !== '') return `waits for ${request.waitsFor}`;
  if (answer?.allowed !== true) return `not now: ${answer?.reason ?? 'the policies do not allow it'}`;
  if (answer.autoApproved) return 'nobody: approved by itself';
  return answer.freshSignInRequired ? 'ask in the console: it wants a fresh sign-in' : decidersText(answer.steps);
}
