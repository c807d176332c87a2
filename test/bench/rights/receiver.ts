import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';

/** What receivers here check signatures with. */
export const SIGNING_SECRET = `whsec_${randomBytes(24).toString('base64')}`;

/** What a receiver can take. */
export interface ReceiverLimits {
  /** How many calls it takes in a second, counted from each second's first; more are told to come again. 0: any number. */
  readonly perSecond: number;
  /** How long it works on each call, ms. */
  readonly workMs: number;
}

const RETRY_AFTER_SECONDS = 1;

interface Asked {
  readonly operation: string;
  readonly resource: string;
  readonly subject?: { readonly id: string };
  readonly person?: { readonly user_name: string };
}

/** A receiver of a webhook connector's operations that counts how it is called. Anybody can be given anything. */
export class Receiver {
  /** How many calls were open at the same time, at most. */
  mostAtOnce = 0;
  /** How many calls were told to come again. */
  turnedAway = 0;
  /** How many calls came, at most, between one answer that said to come again later and that time. */
  mostEarly = 0;
  calls = 0;
  private atOnce = 0;
  private second = { endsAt: 0, calls: 0 };
  private alone = { until: 0, calls: 0 };
  private readonly groups = new Map<string, Set<string>>();
  private readonly webhook = new Webhook(SIGNING_SECRET);
  private readonly server: Server = createServer((request, response) => void this.take(request, response));

  private constructor(readonly limits: ReceiverLimits) {}

  static async start(limits: ReceiverLimits = { perSecond: 0, workMs: 0 }): Promise<Receiver> {
    const receiver = new Receiver(limits);
    receiver.server.listen(0, '127.0.0.1');
    await once(receiver.server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/curfew`;
  }

  members(resource: string): Set<string> {
    const members = this.groups.get(resource) ?? new Set<string>();
    this.groups.set(resource, members);
    return members;
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.calls += 1;
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    response.once('close', () => (this.atOnce -= 1));
    if (performance.now() < this.alone.until) this.alone.calls += 1;
    this.mostEarly = Math.max(this.mostEarly, this.alone.calls);
    const mayCome = this.mayCome();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    this.webhook.verify(body, request.headers as Record<string, string>);
    if (!mayCome) {
      this.turnedAway += 1;
      const now = performance.now();
      if (now >= this.alone.until) this.alone = { until: now + RETRY_AFTER_SECONDS * 1_000, calls: 0 };
      response.writeHead(429, { 'retry-after': String(RETRY_AFTER_SECONDS) }).end('{}');
      return;
    }
    if (this.limits.workMs > 0) await pause(this.limits.workMs);
    const answer = JSON.stringify(this.answerTo(JSON.parse(body) as Asked));
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length }).end(answer);
  }

  private mayCome(): boolean {
    const { perSecond } = this.limits;
    const now = performance.now();
    if (now >= this.second.endsAt) this.second = { endsAt: now + 1_000, calls: 0 };
    this.second.calls += 1;
    return perSecond === 0 || this.second.calls <= perSecond;
  }

  private answerTo({ operation, resource, subject, person }: Asked): object {
    const members = this.members(resource);
    const id = subject?.id ?? '';
    switch (operation) {
      case 'find_subject':
        return { subject: { id: person?.user_name, label: person?.user_name } };
      case 'has':
        return { has: members.has(id) };
      case 'add':
        members.add(id);
        return {};
      case 'remove':
        members.delete(id);
        return {};
      case 'members':
        return { members: [...members].map((name) => ({ id: name, label: name })), next: '' };
      default:
        return { text: resource, findings: [] };
    }
  }
}
