/** What can happen in a run of the model, as `do` lines name it. */
export type What =
  | 'give'
  | 'revoke'
  | 'extend'
  | 'up'
  | 'down'
  | 'lose up'
  | 'lose down'
  | 'start'
  | 'kill'
  | 'link'
  | 'cut'
  | 'backup'
  | 'rollback'
  | 'recover'
  | 'snapshot'
  | 'restore'
  | 'reboot'
  | 'tick'
  | 'catch'
  | 'repeat'
  | 'lease'
  | 'forge';

export interface Happening {
  readonly what: What;
  /** Which session, where it is about one. */
  readonly session: number;
  /** After how many things that the agent does to its machine it dies; undefined when it does not. */
  readonly diesAfter: number | undefined;
}

/** Model and code at rest, in the model's words: what is held, recorded, and in the ledger. */
export interface ModelState {
  readonly rights: readonly number[];
  readonly armed: readonly number[];
  /** Incarnation, whether it is known to be rolled back, and of the device: generation, epoch, revoked epoch. */
  readonly ledger: readonly number[];
  readonly sessions: readonly string[];
  readonly up: number;
  /** Incarnation, generation, epoch. */
  readonly floor: readonly number[];
  readonly phases: readonly string[];
  readonly over: readonly number[];
  readonly disk: readonly number[];
  readonly onDisk: readonly string[];
  readonly applied: readonly number[];
  readonly refusing: number;
}

/** One thing that has happened in a run, what the agent did to its machine for it, and how everything stood then. */
export interface Moment {
  readonly happening: Happening;
  readonly steps: readonly string[];
  /** Undefined at the end of a run. */
  readonly after: ModelState | undefined;
}

/** Reads the lines of a run. A death in the middle of the agent's work belongs to what it worked on. */
export function momentsOf(lines: readonly string[]): Moment[] {
  const moments: { happening: Happening; steps: string[]; after: ModelState | undefined }[] = [];
  for (const line of lines) {
    const last = moments.at(-1);
    const [word = '', ...rest] = line.split(' ');
    if (word === 'state') {
      if (last !== undefined && last.after === undefined) last.after = stateOf(rest.join(' '));
    } else if (word === 'step') last?.steps.push(rest.join(' '));
    else if (rest[0] === 'kill' && last !== undefined && last.after === undefined)
      last.happening = { ...last.happening, diesAfter: last.steps.length };
    else {
      const number = Number(rest.at(-1));
      const named = Number.isNaN(number) ? rest : rest.slice(0, -1);
      const happening = {
        what: named.join(' ') as What,
        session: Number.isNaN(number) ? 0 : number,
        diesAfter: undefined,
      };
      moments.push({ happening, steps: [], after: undefined });
    }
  }
  return moments;
}

/** A session that is active is called `active_` there, for `active` is a word of Promela. */
const stateOf = (json: string): ModelState => JSON.parse(json.replaceAll('active_', 'active')) as ModelState;
