import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What can be asked of the fake resource. */
export type FakeCall = 'describe' | 'find' | 'has' | 'add' | 'remove' | 'members';

/**
 * How a call is treated. `lose`: done, and the answer lost. `drop`: not done, and no answer. `half`: done, and half an
 * answer. `wait`: not done, and 'not yet' is the answer. `late`: not done before the client has gone and `whenLate` says so, and done then.
 */
export type FakeTreatment = 'do' | 'lose' | 'drop' | 'half' | 'hang' | 'late' | 'wait' | 'error' | 'refuse' | 'busy';

export interface FakeAsked {
  readonly call: FakeCall;
  readonly group: string;
  /** A subject's id, or the name that is looked for. */
  readonly who: string;
  readonly until?: number;
}

/**
 * A system with groups, in the test's own process: it outlives every server that uses it. People are known by the names
 * in `people`, and called 'id-' and that name.
 */
export class FakeResource {
  readonly people = new Set<string>();
  readonly groups = new Map<string, Set<string>>();
  /** Everything that was asked, in order. */
  readonly asked: FakeAsked[] = [];
  /** How many calls were open at the same time, at most. */
  mostAtOnce = 0;
  /** Decides how a call is treated; may wait. */
  treat: (asked: FakeAsked) => FakeTreatment | Promise<FakeTreatment> = () => 'do';
  /** Called when a call was done, and before it is answered. */
  done: (asked: FakeAsked) => void | Promise<void> = () => undefined;
  whenLate: () => Promise<unknown> = () => Promise.resolve();
  retryAfterSeconds = 1;
  private atOnce = 0;
  private readonly server: Server = createServer((request, response) => void this.answer(request, response));

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  members(group: string): Set<string> {
    const members = this.groups.get(group) ?? new Set<string>();
    this.groups.set(group, members);
    return members;
  }

  has(group: string, person: string): boolean {
    return this.members(group).has(`id-${person}`);
  }

  /** How often something was asked. */
  count(call: FakeCall, person?: string): number {
    return this.asked.filter((one) => one.call === call && (person === undefined || one.who === `id-${person}`)).length;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    let text = '';
    try {
      for await (const chunk of request) text += String(chunk);
    } catch {
      // Who has asked has gone in the middle of it.
      return;
    }
    const asked = { call: request.url?.slice(1), ...(JSON.parse(text) as object) } as FakeAsked;
    this.asked.push(asked);
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    try {
      await this.reply(asked, await this.treat(asked), response);
    } finally {
      this.atOnce -= 1;
    }
  }

  private async reply(asked: FakeAsked, how: FakeTreatment, response: ServerResponse): Promise<void> {
    switch (how) {
      case 'hang':
        await new Promise((resolve) => response.once('close', resolve));
        return;
      case 'late':
        await new Promise((resolve) => response.once('close', resolve));
        await this.whenLate();
        this.act(asked);
        return;
      case 'drop':
        response.destroy();
        return;
      case 'error':
        response.writeHead(500).end('it broke');
        return;
      case 'wait':
        response.writeHead(202).end('not accepted yet');
        return;
      case 'refuse':
        response.writeHead(403).end('not allowed');
        return;
      case 'busy':
        response.writeHead(429, { 'retry-after': String(this.retryAfterSeconds) }).end('too many calls');
        return;
      case 'do':
      case 'lose':
      case 'half': {
        const answer = JSON.stringify(this.act(asked));
        await this.done(asked);
        if (how === 'lose') response.destroy();
        else if (how === 'half') {
          response.writeHead(200, { 'content-length': String(answer.length) });
          response.write(answer.slice(0, answer.length / 2), () => response.destroy());
        } else response.writeHead(200, { 'content-length': String(answer.length) }).end(answer);
      }
    }
  }

  private act({ call, group, who }: FakeAsked): object {
    const members = this.members(group);
    switch (call) {
      case 'describe':
        return { text: `group '${group}' with ${members.size} members`, findings: ['It is a fake.'] };
      case 'find':
        return this.people.has(who) ? { id: `id-${who}` } : {};
      case 'has':
        return { has: members.has(who) };
      case 'add':
        members.add(who);
        return { has: members.has(who) };
      case 'remove':
        members.delete(who);
        return { has: members.has(who) };
      case 'members':
        return { ids: [...members] };
    }
  }
}
