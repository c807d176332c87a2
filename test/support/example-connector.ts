import {
  ConnectorError,
  type Connector,
  type ConnectorKind,
  type Person,
  type ResourceDescription,
  type Subject,
} from '@curfew/server/parts';
import type { InstantMs } from '@curfew/shared';
import { readFile, rename, writeFile } from 'node:fs/promises';

/** Members in a text file: on each line a login and 'yes' or 'no'. Who has no line cannot be a member. */
class TextFileConnector implements Connector {
  /** Changes come one after the other, or one would undo the other. */
  private turn: Promise<void> = Promise.resolve();

  constructor(private readonly file: string) {}

  async describe(signal: AbortSignal): Promise<ResourceDescription> {
    return { text: `file '${this.file}' with ${(await this.members(signal)).length} members`, findings: [] };
  }

  async findSubject({ subject, userName }: Person, signal: AbortSignal): Promise<Subject | undefined> {
    const login = subject === '' ? userName : subject;
    return (await this.read(signal)).has(login) ? { id: login, label: login } : undefined;
  }

  async has({ id }: Subject, signal: AbortSignal): Promise<boolean> {
    return (await this.read(signal)).get(id) === 'yes';
  }

  async add(subject: Subject, _until: InstantMs, signal: AbortSignal): Promise<void> {
    await this.write(subject, 'yes', signal);
    if (!(await this.has(subject, signal))) throw new ConnectorError('refused', 'there is no line for this person');
  }

  async remove(subject: Subject, signal: AbortSignal): Promise<void> {
    await this.write(subject, 'no', signal);
    if (await this.has(subject, signal)) throw new ConnectorError('unreachable', 'somebody else has changed the file');
  }

  async members(signal: AbortSignal): Promise<readonly Subject[]> {
    const lines = [...(await this.read(signal))];
    return lines.flatMap(([login, has]) => (has === 'yes' ? [{ id: login, label: login }] : []));
  }

  async close(): Promise<void> {
    await this.turn;
  }

  private async read(signal: AbortSignal): Promise<Map<string, string>> {
    const text = await reached(readFile(this.file, { encoding: 'utf8', signal }));
    const lines = text.split('\n').filter(Boolean);
    return new Map(lines.map((line) => line.split(' ') as [string, string]));
  }

  private write({ id }: Subject, has: string, signal: AbortSignal): Promise<void> {
    const change = this.turn.then(async () => {
      const lines = await this.read(signal);
      if (!lines.has(id) || lines.get(id) === has) return;
      const text = [...lines.set(id, has)].map((line) => `${line.join(' ')}\n`).join('');
      await reached(writeFile(`${this.file}.new`, text, { signal }));
      await reached(rename(`${this.file}.new`, this.file));
    });
    this.turn = change.catch(() => undefined);
    return change;
  }
}

/** What goes wrong with a file may be well later. */
const reached = <T>(work: Promise<T>): Promise<T> =>
  work.catch((cause: unknown) => {
    throw new ConnectorError('unreachable', (cause as Error).message, undefined, { cause });
  });

export const TEXT_FILE_KIND: ConnectorKind = {
  kind: 'text_file',
  title: 'Text file',
  settings: [],
  target: [
    {
      name: 'file',
      label: 'File',
      help: 'The absolute path of the file.',
      required: true,
      problem: (value) => (value.startsWith('/') ? undefined : 'is not an absolute path'),
    },
  ],
  callsAtOnce: 1,
  callLimitMs: 10_000,
  open: ({ target }) => new TextFileConnector(target['file'] ?? ''),
};
