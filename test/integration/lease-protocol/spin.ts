import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../../support/scratch.js';

const MODEL = new URL('../../../integration/lease-protocol/lease.pml', import.meta.url);

/** How much may happen in a search or run of the model; what is absent does not happen. The order is that of `init` in lease.pml. */
const BOUNDS = [
  'gives',
  'revokes',
  'extends',
  'links',
  'kills',
  'mostReboots',
  'snapshots',
  'copies',
  'mostRecovers',
  'injects',
  'mostLosses',
  'ticks',
  'servers',
] as const;
export type Bounds = Partial<Record<(typeof BOUNDS)[number], number>>;

const USUAL: Bounds = { gives: 1, revokes: 1, links: 2 };

/** What spin says of a search through everything that can happen within bounds. */
export interface Search {
  /** The assertion that does not hold; '' when all of them do. */
  readonly failure: string;
  readonly states: number;
  /** Whether nothing was left out. */
  readonly isWhole: boolean;
}

/** The parts of the protocol that lease.pml can take out, with their numbers there. */
export function brokenModels(): ReadonlyMap<string, number> {
  const text = readFileSync(MODEL, 'utf8');
  const names = text.slice(text.indexOf('byte broken;'), text.indexOf('#define MOST_LINKS'));
  return new Map([...names.matchAll(/^#define ([A-Z_]+) (\d+)$/gm)].map((match) => [match[1]!, Number(match[2])]));
}

/** The model of the lease protocol, made into a program that searches it. */
export class LeaseModel {
  private readonly folder = scratchFolder('lease-model');

  /** Errors: spin does not understand the model, or the C compiler what spin has made of it. */
  constructor() {
    copyFileSync(MODEL, join(this.folder, 'lease.pml'));
  }

  /** Makes the program that searches. */
  compile(): void {
    execFileSync('spin', ['-a', 'lease.pml'], { cwd: this.folder, stdio: 'pipe' });
    execFileSync('gcc', ['-O2', '-w', '-DSAFETY', '-DCOLLAPSE', '-o', 'pan', 'pan.c'], {
      cwd: this.folder,
      stdio: 'pipe',
    });
  }

  /** Tries everything that can happen within bounds, with one part of the protocol taken out or none. */
  search(bounds: Bounds, broken = ''): Search {
    const all = { ...USUAL, ...bounds };
    const number = broken === '' ? 0 : brokenModels().get(broken);
    if (number === undefined) throw new Error(`lease.pml has no ${broken}`);
    const given = [...BOUNDS.map((name) => all[name] ?? 0), number].join();
    const { stdout, status } = spawnSync(join(this.folder, 'pan'), ['-E', '-m100000', '-w22'], {
      cwd: this.folder,
      encoding: 'utf8',
      env: { LEASE_MODEL: given },
    });
    const states = Number(/(\d+) states, stored/.exec(stdout)?.[1] ?? NaN);
    const failure = /^pan:1: (.*)$/m.exec(stdout)?.[1] ?? '';
    if (status !== 0 || Number.isNaN(states)) throw new Error(`the search has failed: ${stdout.slice(0, 500)}`);
    return {
      failure,
      states,
      isWhole: !stdout.includes('max search depth too small') && !stdout.includes('not completed'),
    };
  }

  /** One run by chance, the same for the same seed: what it has printed, line for line. Nothing happens while the agent works. */
  run(bounds: Bounds, seed: number): string[] {
    const all = { ...USUAL, ...bounds };
    const given = BOUNDS.map((name) => `${name}=${all[name] ?? 0}\\;`).join('');
    const { stdout } = spawnSync('spin', ['-DQUIET', `-DGIVEN=${given}`, `-n${seed}`, '-u4000', '-T', 'lease.pml'], {
      cwd: this.folder,
      encoding: 'utf8',
    });
    return stdout.split('\n').flatMap((line) => (/^\s*(do|step|state) /.test(line) ? [line.trim()] : []));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
