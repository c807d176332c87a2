import { isId } from '@curfew/shared';
import { SLACK_ACTIONS } from './slack-message.js';

/** A press of one of our buttons. */
export interface SlackPress {
  readonly verb: 'approve' | 'deny';
  readonly requestId: string;
  /** Whoever pressed, and the workspaces of them and of the message. */
  readonly slackId: string;
  readonly userTeam: string;
  readonly team: string;
  readonly channel: string;
  readonly responseUrl: string;
}

interface BlockActions {
  readonly type?: unknown;
  readonly user?: { readonly id?: unknown; readonly team_id?: unknown };
  readonly team?: { readonly id?: unknown } | null;
  readonly channel?: { readonly id?: unknown };
  readonly response_url?: unknown;
  readonly actions?: unknown;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/**
 * Reads what Slack posts when a button is pressed: a form whose one field is JSON
 * (api.slack.com/reference/interaction-payloads/block-actions). Undefined for everything else.
 */
export function slackPress(rawBody: Buffer): SlackPress | undefined {
  let payload: BlockActions | null;
  try {
    payload = JSON.parse(new URLSearchParams(rawBody.toString('utf8')).get('payload') ?? 'null') as BlockActions | null;
  } catch {
    return undefined;
  }
  if (payload?.type !== 'block_actions' || !Array.isArray(payload.actions)) return undefined;
  const [action] = payload.actions as readonly ({ readonly action_id?: unknown; readonly value?: unknown } | null)[];
  const verb = (['approve', 'deny'] as const).find((one) => SLACK_ACTIONS[one] === action?.action_id);
  const requestId = text(action?.value);
  if (verb === undefined || !isId('request', requestId)) return undefined;
  return {
    verb,
    requestId,
    slackId: text(payload.user?.id),
    userTeam: text(payload.user?.team_id),
    team: text(payload.team?.id),
    channel: text(payload.channel?.id),
    responseUrl: text(payload.response_url),
  };
}
