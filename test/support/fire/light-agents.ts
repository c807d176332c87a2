import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { JoinedServer } from '../scripted-device.js';
import { eventually } from '../wait.js';
import type { Holding } from './history.js';

const PROGRAM = fileURLToPath(new URL('light-agents-process.js', import.meta.url));

/** What the process of the light agents is told. */
export interface LightAgentsOrder {
  readonly servers: readonly JoinedServer[];
  /** A join token for as many. */
  readonly token: string;
  readonly count: number;
  /** Where it writes what its agents hold, a line for each change. */
  readonly file: string;
}

/** Thousands of agents in a process of their own. */
export class LightAgents {
  private links = 0;

  private constructor(
    private readonly child: ChildProcess,
    private readonly order: LightAgentsOrder,
    /** Their devices' ids. */
    readonly ids: readonly string[],
  ) {
    child.on('message', (told: { readonly links?: number }) => (this.links = told.links ?? this.links));
  }

  /** Enrols and links them all. */
  static async start(order: LightAgentsOrder): Promise<LightAgents> {
    const child = fork(PROGRAM, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    child.send(order);
    const first = await Promise.race([
      once(child, 'message') as Promise<[{ readonly ids: readonly string[] }]>,
      once(child, 'exit').then(() => undefined),
    ]);
    if (first === undefined) throw new Error('the light agents ended before they were linked');
    return new LightAgents(child, order, first[0].ids);
  }

  /** The share of them that has a link. */
  get linked(): number {
    return this.links / this.order.count;
  }

  /** Waits until every one of them has a link. */
  async untilLinked(withinMs: number): Promise<void> {
    await eventually(() => this.links === this.order.count, {
      withinMs,
      everyMs: 100,
      what: `all light agents linked`,
    }).catch((cause: unknown) => {
      throw new Error(`${this.links} of ${this.order.count} light agents are linked`, { cause });
    });
  }

  /** Ends them; gives what each held, and from when. */
  async end(): Promise<Holding[]> {
    const exit = once(this.child, 'exit');
    this.child.send('over');
    await exit;
    const lines = readFileSync(this.order.file, 'utf8').trimEnd().split('\n');
    return lines.map((line) => JSON.parse(line) as Holding);
  }

  /** Ends them at once. */
  kill(): void {
    this.child.kill('SIGKILL');
  }
}
