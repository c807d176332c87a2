import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { pin } from '../fleet.js';
import type { Place } from './right.js';

const PROGRAM = fileURLToPath(new URL('rights-process.js', import.meta.url));

/** What the process is told: every person at every place, by the library or by the connector, each alone. */
export interface RightsOrder {
  readonly by: 'library' | 'connector';
  readonly places: readonly Place[];
  readonly people: readonly string[];
  readonly what: 'give' | 'take';
}

/** What it answers: how long that took, or what went wrong. */
export type RightsAnswer = { readonly ms: number } | { readonly problem: string };

/** A process on the server's core that gives and takes without a server. */
export class RightsProcess {
  private constructor(private readonly child: ChildProcess) {}

  static start(core: number | undefined): RightsProcess {
    const child = fork(PROGRAM);
    pin(child.pid ?? 0, core);
    return new RightsProcess(child);
  }

  /** Gives how long it took, ms. Errors: something did not go as it must. */
  async run(order: RightsOrder): Promise<number> {
    this.child.send(order);
    const [answer] = (await once(this.child, 'message')) as [RightsAnswer];
    if ('problem' in answer) throw new Error(`${order.by} of ${order.places[0]?.kind ?? ''}: ${answer.problem}`);
    return answer.ms;
  }

  async close(): Promise<void> {
    this.child.disconnect();
    await once(this.child, 'exit');
  }
}
