import { constants } from 'node:fs';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { Notice } from '../notice.js';
import { delivered, type Outcome, type Sender } from '../sender.js';

/** The folder below the data folder that holds the files of channels, and nothing else. */
const NOTICES_FOLDER = 'notices';

/** A line is never longer; so much of a file's end is looked at. */
const LONGEST_LINE = 1_048_576;
const NEW_LINE = 0x0a;

/**
 * Appends notices as JSON lines, each as the audit log holds it. The file is opened for each batch, so whoever rotates
 * it just moves it away. A line that a crash left half is cut off; what a crash has already written is not doubled.
 */
export class FileSender implements Sender {
  readonly ordered = true;
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly dataDir: string,
    /** A bare file name; its check is the caller's. */
    private readonly name: string,
  ) {}

  /** One after the other: an attempt that was given up, with a disk that hangs, may still be writing. */
  send(notices: readonly Notice[]): Promise<Outcome> {
    const sending = this.last.then(() => this.append(notices));
    this.last = sending.catch(() => undefined);
    return sending;
  }

  private async append(notices: readonly Notice[]): Promise<Outcome> {
    const folder = path.join(this.dataDir, NOTICES_FOLDER);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
    const file = await open(path.join(folder, this.name), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
    try {
      const last = await mendEnd(file);
      const lines = notices.map(({ record }) => record);
      const rest = lines.slice(last === '' ? 0 : lines.lastIndexOf(last) + 1);
      if (rest.length > 0) await file.appendFile(`${rest.join('\n')}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await syncFolder(folder);
    return delivered(`${notices.length} written`);
  }
}

/** Cuts off what follows the last line break; gives the last whole line, '' when there is none. */
async function mendEnd(file: FileHandle): Promise<string> {
  const { size } = await file.stat();
  const length = Math.min(size, 2 * LONGEST_LINE);
  const tail = Buffer.alloc(length);
  await file.read(tail, 0, length, size - length);
  const end = tail.lastIndexOf(NEW_LINE) + 1;
  if (end < length && (end > 0 || length === size)) await file.truncate(size - length + end);
  if (end === 0) return '';
  const begin = tail.subarray(0, end - 1).lastIndexOf(NEW_LINE) + 1;
  return tail.subarray(begin, end - 1).toString('utf8');
}

/** A new file is on disk only when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
