import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';

/** What was answered to a caller: it is in force whatever happens then. */
export type AnsweredKind = 'granted' | 'revoked';

/** What a console has shown to be answered, in a file that the machine can read when it is on again. */
export class AnsweredCalls {
  private readonly answered = new Map<string, AnsweredKind>();

  constructor(private readonly file: string) {
    writeFileSync(file, '');
  }

  get size(): number {
    return this.answered.size;
  }

  /** How many revokes of them. */
  get revoked(): number {
    return [...this.answered.values()].filter((kind) => kind === 'revoked').length;
  }

  /** Takes the lines of a console. */
  take(lines: readonly string[]): void {
    for (const line of lines) {
      const [, kind, id] = /^ANSWERED (granted|revoked) (ses-[0-9a-z]{20})$/.exec(line) ?? [];
      if (kind === undefined || id === undefined) continue;
      this.answered.set(id, kind as AnsweredKind);
      appendFileSync(this.file, `${kind} ${id}\n`);
    }
  }
}

/** Says on the console that a caller has its answer. */
export const sayAnswered = (kind: AnsweredKind, id: string): void => {
  process.stdout.write(`ANSWERED ${kind} ${id}\n`);
};

/** What was answered before, newest word for each session. */
export function answeredBefore(file: string): Map<string, AnsweredKind> {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return new Map(lines.map((line) => line.split(' ')).map(([kind, id]) => [id ?? '', kind as AnsweredKind]));
}
