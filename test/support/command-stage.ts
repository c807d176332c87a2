import type { Connector, ConnectorParts, Person } from '@curfew/server/parts';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ContractStage } from './connector-contract.js';
import { openConnector, personOf } from './connector-parts.js';
import { scratchFolder } from './scratch.js';

const EXAMPLE = new URL('../../../docs/examples/command-connector.mjs', import.meta.url);

/** Writes a program for this Node: what follows the first line of its source, which is that of other machines. */
export function writeProgram(file: string, source: string): string {
  writeFileSync(file, `#!${process.execPath}\n${source}`);
  chmodSync(file, 0o755);
  return file;
}

/** A folder of programs with the example of the documents in it, and the folder in which that keeps members. */
export class CommandStage implements ContractStage {
  readonly folder = scratchFolder('command');
  readonly programs = path.join(this.folder, 'programs');
  readonly home = path.join(this.folder, 'home');
  private readonly hangs = path.join(this.folder, 'hangs');
  readonly people = [personOf('alice'), personOf('bob')] as const;
  readonly stranger = personOf('mallory');
  connector: Connector;

  constructor() {
    mkdirSync(this.programs);
    mkdirSync(path.join(this.home, 'ops'), { recursive: true });
    writeFileSync(path.join(this.home, 'people.txt'), 'alice alice@example.com\nbob bob@example.com\n');
    const source = readFileSync(EXAMPLE, 'utf8').replace(/^#!.*\n/, '');
    const hang = `import { existsSync } from 'node:fs';
      if (existsSync(${JSON.stringify(this.hangs)})) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);\n`;
    writeProgram(path.join(this.programs, 'members.mjs'), hang + source);
    this.connector = this.open({ program: path.join(this.programs, 'members.mjs') });
  }

  /** Opens the connector with other settings, secrets or parts than usual. */
  open(
    settings: Readonly<Record<string, string>>,
    secrets: Readonly<Record<string, string>> = {},
    parts: Partial<ConnectorParts> = { commandFolder: this.programs },
  ): Connector {
    const variables = `CONNECTOR_HOME=${this.home}`;
    return openConnector('command', {
      settings: { variables, ...settings },
      secrets,
      target: { resource: 'ops' },
      parts,
    });
  }

  /** Opens a connector whose program is this source, in place of the example. */
  openProgram(source: string, secrets: Readonly<Record<string, string>> = {}): Connector {
    return this.open({ program: writeProgram(path.join(this.programs, 'other.mjs'), source) }, secrets);
  }

  readonly truth = async ({ userName }: Person): Promise<boolean> => existsSync(this.fileOf(userName));

  readonly byHand = async ({ userName }: Person, has: boolean): Promise<void> => {
    if (has) writeFileSync(this.fileOf(userName), '');
    else rmSync(this.fileOf(userName), { force: true });
  };

  readonly cutOff = async (): Promise<() => Promise<void>> => {
    renameSync(this.home, `${this.home}.away`);
    return async () => renameSync(`${this.home}.away`, this.home);
  };

  readonly hang = async (): Promise<() => Promise<void>> => {
    writeFileSync(this.hangs, '');
    return async () => rmSync(this.hangs);
  };

  readonly forget = async ({ userName }: Person): Promise<void> => {
    const file = path.join(this.home, 'people.txt');
    const left = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => !line.startsWith(`${userName} `));
    writeFileSync(file, left.join('\n'));
  };

  readonly close = async (): Promise<void> => {
    await this.connector.close();
    rmSync(this.folder, { recursive: true });
  };

  private fileOf(userName: string): string {
    return path.join(this.home, 'ops', Buffer.from(userName).toString('base64url'));
  }
}
