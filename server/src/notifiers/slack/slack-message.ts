import { formatDuration, safeText } from '@curfew/shared';
import { noticeFacts, noticeTitle, type Notice } from '../notice.js';

/** Limits of Slack's Block Kit (api.slack.com/reference/block-kit/blocks). */
const [MOST_FIELDS, LONGEST_FIELD, LONGEST_SECTION, LONGEST_TEXT] = [10, 2_000, 3_000, 3_000];

/** The names of the buttons, as they come back with a press. */
export const SLACK_ACTIONS = { approve: 'curfew_approve', deny: 'curfew_deny' } as const;

/** A message for chat.postMessage or a response_url. */
export type SlackMessage = Readonly<Record<string, unknown>>;

/** Makes text mean itself where Slack reads mrkdwn: no mention, no link, no call of a channel. */
const slackText = (text: string): string =>
  safeText(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const cut = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);
/** Text in which Slack reads no signs at all. */
const plain = (text: string, most: number) => ({ type: 'plain_text', text: cut(safeText(text), most), emoji: false });

/** How a notice looks in Slack. A new request can be decided by whoever the server knows as one who may. */
export function slackMessage(channel: string, notice: Notice): SlackMessage {
  const isRequest = notice.type === 'request.created';
  const title = isRequest ? requestTitle(notice) : noticeTitle(notice);
  return {
    channel,
    // For notifications and screen readers; the blocks are what is seen.
    text: cut(slackText(title), LONGEST_TEXT),
    mrkdwn: false,
    parse: 'none',
    link_names: false,
    unfurl_links: false,
    unfurl_media: false,
    metadata: { event_type: 'curfew_notice', event_payload: { id: notice.id, index: notice.index } },
    blocks: [
      { type: 'section', text: plain(title, LONGEST_SECTION) },
      { type: 'section', fields: fieldsOf(notice) },
      ...(isRequest ? [buttonsFor(notice.subject)] : []),
    ],
  };
}

/** What takes the place of a message whose request was decided. */
export const slackDecided = (text: string): SlackMessage => ({
  replace_original: true,
  text: cut(slackText(text), LONGEST_TEXT),
  blocks: [{ type: 'section', text: plain(text, LONGEST_SECTION) }],
});

/** An answer that only the one who pressed sees. */
export const slackEphemeral = (text: string): SlackMessage => ({
  response_type: 'ephemeral',
  replace_original: false,
  text: cut(slackText(text), LONGEST_TEXT),
  blocks: [{ type: 'section', text: plain(text, LONGEST_SECTION) }],
});

function requestTitle({ data, actor }: Notice): string {
  const { user, durationMs } = data;
  const ms = typeof durationMs === 'number' ? durationMs : 0;
  return safeText(
    `${typeof user === 'string' ? user : 'Somebody'} asks for admin rights for ${formatDuration(ms)} on ${actor}`,
  );
}

function fieldsOf(notice: Notice): object[] {
  return noticeFacts(notice)
    .slice(0, MOST_FIELDS)
    .map(([name, text]) => plain(`${name}: ${text}`, LONGEST_FIELD));
}

const buttonsFor = (requestId: string) => ({
  type: 'actions',
  block_id: 'curfew_decision',
  elements: [
    {
      type: 'button',
      action_id: SLACK_ACTIONS.approve,
      style: 'primary',
      text: plain('Approve', 75),
      value: requestId,
      confirm: {
        title: plain('Approve this request?', 100),
        text: plain('The person can start it at once.', 300),
        confirm: plain('Approve', 30),
        deny: plain('Back', 30),
      },
    },
    { type: 'button', action_id: SLACK_ACTIONS.deny, style: 'danger', text: plain('Deny', 75), value: requestId },
  ],
});
