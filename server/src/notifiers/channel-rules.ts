import { CurfewError, hasUnsafeText } from '@curfew/shared';
import type { ChannelKind } from './channel-kind.js';
import type { SyslogTarget } from './senders/syslog-sender.js';
import { signingSecretProblem } from './targets/webhook-signer.js';

/** A channel as somebody wants it. */
export interface ChannelWish {
  readonly name: string;
  readonly kind: ChannelKind;
  readonly target: string;
  readonly eventTypes: readonly string[];
  readonly disabled: boolean;
  readonly slackUsers: readonly { readonly slackId: string; readonly user: string }[];
  /** '' keeps the one there is. */
  readonly secret: string;
}

/** Slack's two secrets. */
export interface SlackSecret {
  readonly token: string;
  readonly signing: string;
}

const invalid = (field: string, problem: string): CurfewError => new CurfewError('CHANNEL_INVALID', { field, problem });

const MOST_ADDRESSES = 50;

/** Reads a webhook's address: https, or http to this machine itself. Errors: CHANNEL_INVALID. */
export function webhookTarget(target: string): URL {
  const url = URL.canParse(target) && !hasUnsafeText(target) ? new URL(target) : undefined;
  if (url === undefined) throw invalid('channel.target', 'is no address such as https://hooks.example.com/curfew');
  if (url.username !== '' || url.password !== '')
    throw invalid('channel.target', 'must not hold a user or a password; whoever may list channels sees it');
  const own = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && own))
    throw invalid('channel.target', 'must begin with https://; http:// is for this machine itself only');
  return url;
}

/** Reads where syslog listens. Errors: CHANNEL_INVALID. */
export function syslogTarget(target: string): SyslogTarget {
  const [, scheme, host = '', port] =
    /^(tls|tcp):\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]{1,253}):(\d{1,5})$/.exec(target) ?? [];
  if (scheme === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw invalid('channel.target', 'is not tls://HOST:PORT or tcp://HOST:PORT');
  // Other ways of writing an IPv4 address, such as 127.1 or 0x7f000001, become the usual one, as in addresses of the web.
  const url = URL.canParse(`http://${host}/`) ? new URL(`http://${host}/`) : undefined;
  if (url === undefined) throw invalid('channel.target', 'has a host that is neither a name nor an address');
  return { tls: scheme === 'tls', host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

/** Reads mail addresses, separated by commas: bare ones, without names. Errors: CHANNEL_INVALID. */
export function mailTarget(target: string): string[] {
  const addresses = target.split(',').map((address) => address.trim());
  const wrong = addresses.find(
    (address) =>
      address.length > 254 ||
      !/^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(address),
  );
  if (wrong !== undefined) throw invalid('channel.target', `'${wrong.slice(0, 60)}' is not a mail address`);
  if (addresses.length > MOST_ADDRESSES) throw invalid('channel.target', `has more than ${MOST_ADDRESSES} addresses`);
  return addresses;
}

/** Reads the name of a file: no folder, nothing hidden. Errors: CHANNEL_INVALID. */
export function fileTarget(target: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(target))
    throw invalid('channel.target', 'is not a file name of letters, digits, dots, underscores and hyphens');
  return target;
}

/** Reads the id of a Slack channel. Errors: CHANNEL_INVALID. */
export function slackTarget(target: string): string {
  if (!/^[CGD][A-Z0-9]{5,30}$/.test(target))
    throw invalid(
      'channel.target',
      "is not a Slack channel's id such as C0123ABCDEF (in Slack: channel details, below)",
    );
  return target;
}

/** Reads a webhook's signing secret. Errors: CHANNEL_INVALID. */
function webhookSecret(secret: string): string {
  const problem = signingSecretProblem(secret);
  if (problem !== undefined) throw invalid('secret', problem);
  return secret;
}

/** Reads Slack's two secrets. Errors: CHANNEL_INVALID. */
export function slackSecret(secret: string): SlackSecret {
  const [, token, signing] = /^(xox[a-z]-[A-Za-z0-9-]{10,200})\s+([A-Za-z0-9]{16,100})$/.exec(secret.trim()) ?? [];
  if (token === undefined || signing === undefined)
    throw invalid('secret', "must be the bot token (xoxb-…) and the app's signing secret, with a space between");
  return { token, signing };
}

const TARGETS: Readonly<Record<ChannelKind, (target: string) => unknown>> = {
  webhook: webhookTarget,
  slack: slackTarget,
  mail: mailTarget,
  syslog: syslogTarget,
  file: fileTarget,
};

/** Checks a wish on its own, without the ledger. Errors: CHANNEL_INVALID. */
export function checkChannel(wish: ChannelWish): void {
  if (wish.name === '') throw invalid('channel.name', 'is required');
  TARGETS[wish.kind](wish.target);
  for (const beginning of wish.eventTypes)
    if (!/^[a-z_]+(\.[a-z_]*)?$/.test(beginning))
      throw invalid(
        'channel.event_types',
        `'${beginning.slice(0, 60)}' is not the beginning of an event type such as 'request.'`,
      );
  if (wish.kind !== 'slack' && wish.slackUsers.length > 0)
    throw invalid('channel.slack_users', 'are for channels of the kind slack');
  const ids = wish.slackUsers.map(({ slackId }) => slackId);
  if (new Set(ids).size < ids.length) throw invalid('channel.slack_users', 'name somebody twice');
  if (wish.secret === '') return;
  if (wish.kind === 'webhook') webhookSecret(wish.secret);
  else if (wish.kind === 'slack') slackSecret(wish.secret);
  else throw invalid('secret', `is not for channels of the kind ${wish.kind}`);
}

/** The host that a channel connects to, where an admin has chosen it; undefined for kinds whose host is the configuration's. */
export function hostOf({ kind, target }: Pick<ChannelWish, 'kind' | 'target'>): string | undefined {
  if (kind === 'webhook') return webhookTarget(target).hostname;
  return kind === 'syslog' ? syslogTarget(target).host : undefined;
}
