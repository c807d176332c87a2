import { CurfewError, durationMs, SECOND, type Clock, type Logger } from '@curfew/shared';
import type { Ledger } from '../../ledger/ledger.js';
import type { Requests } from '../../requests/requests.js';
import { METHOD_ACCESS } from '../../rpc/method-access.js';
import type { SecretBox } from '../../secrets/secret-box.js';
import type { Caller } from '../../users/caller.js';
import { isRole, roleContains, type Role } from '../../users/role.js';
import { usersByMail } from '../../users/users-by-mail.js';
import { channelBy, type ChannelRecord } from '../channel-record.js';
import { slackSecret, type SlackSecret } from '../channel-rules.js';
import type { HttpPoster } from '../targets/http-post.js';
import { slackDecided, slackEphemeral, type SlackMessage } from './slack-message.js';
import { slackPress, type SlackPress } from './slack-press.js';
import { SlackSignatures } from './slack-signature.js';

/** Headers of a call as node:http has them. */
export type HookHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** What is answered to a call. */
export interface HookAnswer {
  readonly status: number;
  readonly body: string;
}

export interface SlackHookParts {
  readonly ledger: Ledger;
  readonly requests: Pick<Requests, 'approve' | 'deny'>;
  readonly secrets: SecretBox;
  readonly poster: HttpPoster;
  /** Slack's Web API without a slash at its end. */
  readonly api: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Slack's own calls are a few kilobytes. */
const LONGEST_BODY = 262_144;
const CALL_LIMIT = durationMs(5 * SECOND);

/** Decides requests by the buttons of messages on Slack, as the user that whoever pressed is here. */
export class SlackHook {
  private readonly signatures: SlackSignatures;
  private readonly working = new Set<Promise<void>>();

  constructor(private readonly parts: SlackHookParts) {
    this.signatures = new SlackSignatures(parts.clock);
  }

  /**
   * Takes a call to a channel's address. Slack waits 3 s, so what was signed is answered at once; what comes of it is
   * told in the message. Anything else is refused, the same way whatever was wrong.
   */
  async handle(channelId: string, rawBody: Buffer, headers: HookHeaders): Promise<HookAnswer> {
    const refusal = new CurfewError('HOOK_REFUSED');
    const refused = { status: 401, body: JSON.stringify({ code: refusal.code, message: refusal.message }) };
    try {
      return (await this.take(channelId, rawBody, headers)) ? { status: 200, body: '' } : refused;
    } catch (error) {
      this.parts.logger.error('a call from Slack could not be checked', { channelId, error });
      return refused;
    }
  }

  /** Whether a call is what it says to be; begins what follows from it. Errors: SECRET_UNREADABLE. */
  private async take(channelId: string, rawBody: Buffer, headers: HookHeaders): Promise<boolean> {
    if (rawBody.length > LONGEST_BODY) return false;
    const channel = await this.parts.ledger.read((db) => channelBy(db, 'id', channelId));
    if (channel?.kind !== 'slack' || channel.disabled === 1) return false;
    const secret = slackSecret(this.parts.secrets.unseal(channel.secret, channel.id));
    const [timestamp, signature] = [headers['x-slack-request-timestamp'], headers['x-slack-signature']];
    if (typeof timestamp !== 'string' || typeof signature !== 'string') return false;
    if (!this.signatures.takes(secret.signing, rawBody, timestamp, signature)) return false;
    const press = slackPress(rawBody);
    if (press?.channel === channel.target) this.work(this.decide(channel, secret, press));
    return true;
  }

  /** Resolves when nothing that was answered is still being worked on. */
  async settled(): Promise<void> {
    while (this.working.size > 0) await Promise.all(this.working);
  }

  private work(work: Promise<void>): void {
    const guarded = work.catch((error: unknown) => {
      this.parts.logger.error('a decision from Slack failed', { error });
    });
    this.working.add(guarded);
    void guarded.finally(() => this.working.delete(guarded));
  }

  private async decide(channel: ChannelRecord, secret: SlackSecret, press: SlackPress): Promise<void> {
    try {
      const caller = await this.callerOf(channel, secret, press);
      if (caller === undefined) {
        await this.tell(press, slackEphemeral('Nobody here is known by your Slack id or mail address.'));
        return;
      }
      const needed = METHOD_ACCESS.get(METHODS[press.verb]) as Role;
      if (!roleContains(caller.role, needed))
        throw new CurfewError('METHOD_NOT_ALLOWED', { role: caller.role, method: press.verb, needed });
      await this.carryOut(caller, press);
    } catch (error) {
      if (!(error instanceof CurfewError) || error.status === 'INTERNAL') {
        await this.tell(press, slackEphemeral('That did not work; the server log says why.'));
        throw error;
      }
      await this.tell(press, slackEphemeral(`${error.message} [${error.code}]`));
    }
  }

  /** The same use case as the console's. */
  private async carryOut(caller: Caller, { verb, requestId, ...press }: SlackPress): Promise<void> {
    const { requests } = this.parts;
    const decided =
      verb === 'approve'
        ? await requests.approve(caller, requestId, { reason: REASON })
        : await requests.deny(caller, requestId, REASON);
    const what = `${decided.user_name} on ${decided.device_name}: ${decided.reason}`;
    await this.tell(press, slackDecided(`${decided.state} by ${caller.userName} · ${what}`));
  }

  /** The one user that is linked to whoever pressed, or has their mail address. */
  private async callerOf(
    channel: ChannelRecord,
    { token }: SlackSecret,
    press: SlackPress,
  ): Promise<Caller | undefined> {
    const { ledger } = this.parts;
    const linked = channel.slackUsers.find(({ slack_id: id }) => id === press.slackId);
    const mail = linked === undefined ? await this.mailOf(token, press) : '';
    const [user, another] = await ledger.read(async (db) => {
      if (linked === undefined) return mail === '' ? [] : usersByMail(db, mail);
      return db.selectFrom('app_user').selectAll().where('id', '=', linked.user_id).execute();
    });
    if (user === undefined || another !== undefined || user.disabled === 1 || !isRole(user.role)) return undefined;
    return { userId: user.id, userName: user.name, tokenId: '', role: user.role };
  }

  /**
   * The mail address of whoever pressed, as Slack knows it; '' for none that counts. People of other workspaces, who can
   * be guests in a shared channel, have addresses that others vouch for.
   */
  private async mailOf(token: string, { slackId, userTeam, team }: SlackPress): Promise<string> {
    if (team === '' || userTeam !== team) return '';
    const body = new URLSearchParams({ user: slackId }).toString();
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await this.post(new URL(`${this.parts.api}/users.info`), headers, body);
    const { ok, user } = JSON.parse(answer) as SlackUserInfo;
    if (ok !== true || user?.id !== slackId || user.team_id !== team) return '';
    if (user.deleted === true || user.is_bot === true || user.is_stranger === true || user.is_email_confirmed !== true)
      return '';
    return typeof user.profile?.email === 'string' ? user.profile.email : '';
  }

  private async tell({ responseUrl }: Pick<SlackPress, 'responseUrl'>, message: SlackMessage): Promise<void> {
    const url = URL.canParse(responseUrl) ? new URL(responseUrl) : undefined;
    if (url === undefined || !isSlacks(url, this.parts.api)) return;
    await this.post(url, { 'content-type': 'application/json; charset=utf-8' }, JSON.stringify(message));
  }

  private async post(url: URL, headers: Readonly<Record<string, string>>, body: string): Promise<string> {
    const abort = new AbortController();
    const cancel = this.parts.clock.after(CALL_LIMIT, () => abort.abort());
    try {
      return (await this.parts.poster.post({ url, headers, body, signal: abort.signal })).body;
    } finally {
      cancel();
    }
  }
}

const REASON = 'decided on Slack';
const METHODS = {
  approve: '/curfew.admin.v1.RequestService/ApproveAccessRequest',
  deny: '/curfew.admin.v1.RequestService/DenyAccessRequest',
} as const;

/** What users.info tells, as far as it counts (api.slack.com/types/user). */
interface SlackUserInfo {
  readonly ok?: unknown;
  readonly user?: {
    readonly id?: unknown;
    readonly team_id?: unknown;
    readonly deleted?: unknown;
    readonly is_bot?: unknown;
    readonly is_stranger?: unknown;
    readonly is_email_confirmed?: unknown;
    readonly profile?: { readonly email?: unknown };
  };
}

/** Whether an address is where Slack takes answers: 'hooks.' before the host of its API, or that itself. */
function isSlacks(url: URL, api: string): boolean {
  const home = new URL(api);
  return url.origin === home.origin || url.origin === `${home.protocol}//hooks.${home.host}`;
}
