import { safeText } from '@curfew/shared';
import { createTransport } from 'nodemailer';
import { noticeFacts, noticeTitle, type Notice } from '../notice.js';
import { delivered, refused, unreachable, type Outcome, type Sender } from '../sender.js';

/** How mail leaves. */
export interface MailSettings {
  /** '' when there is none. */
  readonly host: string;
  readonly port: number;
  /** 'implicit': TLS from the first byte on. Without TLS only to this machine itself. */
  readonly tls: 'starttls' | 'implicit';
  /** '' for no sign-in. */
  readonly user: string;
  readonly passwordFile: string;
  readonly from: string;
}

export interface MailParts {
  readonly settings: MailSettings;
  readonly password: string;
  /** PEM certificates instead of those of the system; undefined for the system's. */
  readonly ca: string | undefined;
}

const LONGEST_SUBJECT = 150;
const LIMIT_MS = 9_000;

/** Mails each notice, as text. */
export class MailSender implements Sender {
  readonly ordered = false;

  constructor(
    private readonly parts: MailParts,
    private readonly to: readonly string[],
  ) {}

  async send([notice]: readonly [Notice], signal: AbortSignal): Promise<Outcome> {
    const transport = this.transport();
    const stop = (): void => transport.close();
    signal.addEventListener('abort', stop);
    try {
      const sent = (await transport.sendMail(mailOf(notice, this.parts.settings.from, this.to))) as SentMail;
      return outcomeOfMail(sent);
    } catch (error) {
      return outcomeOfFailure(error as MailFailure);
    } finally {
      signal.removeEventListener('abort', stop);
      transport.close();
    }
  }

  private transport() {
    const { settings, password, ca } = this.parts;
    const { host, port, tls, user } = settings;
    return createTransport({
      host,
      port,
      secure: tls === 'implicit',
      requireTLS: !isOwnMachine(host),
      ...(ca === undefined ? {} : { tls: { ca } }),
      ...(user === '' ? {} : { auth: { user, pass: password } }),
      connectionTimeout: LIMIT_MS,
      greetingTimeout: LIMIT_MS,
      socketTimeout: LIMIT_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }
}

/** Mail to a server on this very machine crosses no wire. */
const isOwnMachine = (host: string): boolean => ['localhost', '127.0.0.1', '::1'].includes(host);

/** The mail of a notice. Header fields are one safe line of what may be hostile. */
export function mailOf(notice: Notice, from: string, to: readonly string[]) {
  const title = noticeTitle(notice);
  const domain = /@([A-Za-z0-9.-]+)>?$/.exec(from)?.[1] ?? 'curfew.invalid';
  const lines = noticeFacts(notice).map(([name, text]) => `${name}: ${text}`);
  return {
    from,
    to: [...to],
    subject: `[Curfew] ${title}`.slice(0, LONGEST_SUBJECT),
    text: [title, '', `time: ${new Date(notice.atMs).toISOString()}`, ...lines, ''].join('\n'),
    date: new Date(notice.atMs),
    // The same at every attempt, so that mail programs show a second arrival once.
    messageId: `<${notice.id}@${domain}>`,
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Curfew-Event': safeText(notice.type) },
  };
}

/** What nodemailer tells of a mail that was taken for somebody. */
interface SentMail {
  readonly response: string;
  readonly rejectedErrors?: readonly { readonly message: string; readonly responseCode?: number }[];
}

/** Taken for some and put off for others is tried again, a second copy being better than none; refused for good is not. */
function outcomeOfMail({ response, rejectedErrors = [] }: SentMail): Outcome {
  const putOff = rejectedErrors.filter(({ responseCode = 0 }) => responseCode < 500);
  if (putOff[0] !== undefined) return refused(putOff[0].message);
  const [lost] = rejectedErrors;
  return delivered(lost === undefined ? response : `not for everybody: ${lost.message}`);
}

interface MailFailure extends Error {
  readonly code?: string;
  readonly command?: string;
  readonly responseCode?: number;
}

/** Commands of SMTP after which a failure is about this very mail. */
const ABOUT_THE_MAIL = ['MAIL FROM', 'RCPT TO', 'DATA', 'API'];

function outcomeOfFailure({ message, command = '' }: MailFailure): Outcome {
  return ABOUT_THE_MAIL.includes(command) ? refused(message) : unreachable(message);
}
