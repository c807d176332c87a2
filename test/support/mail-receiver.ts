import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { ReceiverCertificate } from './receiver-certificate.js';

/** A mail as it arrived. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly secure: boolean;
  readonly user: string;
  /** Header fields by their names in lower case, unfolded. Errors of repeated ones show as lists. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: string;
}

/** An SMTP server that keeps what it gets. */
export class MailReceiver {
  readonly mails: ReceivedMail[] = [];
  /** Addresses that are refused, with the reply. */
  readonly refuses = new Map<string, { readonly code: number; readonly text: string }>();
  port = 0;
  private server: SMTPServer | undefined;

  /** Without a certificate the server offers no TLS. */
  constructor(
    private readonly tls: ReceiverCertificate | undefined,
    private readonly password = '',
  ) {}

  async start(): Promise<this> {
    const { tls, password } = this;
    const options: SMTPServerOptions = {
      ...(tls === undefined ? { disabledCommands: ['STARTTLS'] } : { key: tls.key, cert: tls.cert }),
      authOptional: password === '',
      onAuth: (auth, _, done) => {
        if (auth.password === password) done(null, { user: auth.username });
        else done(new Error('wrong password'));
      },
      onRcptTo: ({ address }, _, done) => {
        const refusal = this.refuses.get(address);
        done(refusal === undefined ? null : Object.assign(new Error(refusal.text), { responseCode: refusal.code }));
      },
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const { mailFrom, rcptTo } = session.envelope;
          const [head = '', ...body] = Buffer.concat(chunks).toString('utf8').split('\r\n\r\n');
          this.mails.push({
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            secure: session.secure,
            user: typeof session.user === 'string' ? session.user : '',
            headers: headersOf(head),
            body: body.join('\r\n\r\n'),
          });
          done();
        });
      },
    };
    this.server = new SMTPServer(options);
    this.server.on('error', () => undefined);
    const listener = this.server.listen(this.port, '127.0.0.1');
    await once(listener, 'listening');
    this.port = (listener.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server !== undefined) await new Promise<void>((resolve) => server.close(resolve));
  }
}

function headersOf(head: string): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (const line of head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const [, name = '', value = ''] = /^([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    const key = name.toLowerCase();
    headers.set(key, [...(headers.get(key) ?? []), value]);
  }
  return headers;
}
