import { FetchReleaseRequest, UpdateState } from '@curfew/proto';
import {
  CurfewError,
  durationMs,
  generateLeaseKey,
  ManualClock,
  releasePublicKey,
  releaseSigningKey,
  SECOND,
  signRelease,
  silentLogger,
  type Clock,
  type DurationMs,
  type ReleaseStatement,
} from '@curfew/shared';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ServerLink } from '../link/server-link.js';
import { Updater, type UpdaterParts } from './updater.js';
import { VersionsFolder } from './versions-folder.js';

/** Every wait is over after one turn of the event loop. */
class HastyClock extends ManualClock implements Clock {
  override after(delay: DurationMs, fn: () => void): () => void {
    let cancelled = false;
    void stat('/').then(() => {
      this.advance(delay);
      if (!cancelled) fn();
    });
    return () => {
      cancelled = true;
    };
  }
}

const key = await releaseSigningKey(generateLeaseKey());
const stranger = await releaseSigningKey(generateLeaseKey());
const keys = [await releasePublicKey(key)];

describe('an update', () => {
  let folder: string;
  let archive: Buffer;
  let versions: VersionsFolder;
  let clock: HastyClock;
  let restarts: number;
  let told: string[];
  let linked: boolean;
  let recording: boolean;
  /** What the server does with a call; undefined: it answers. */
  let fault: (call: number, offset: number, size: number) => Error | Buffer | undefined;
  let calls: { offset: number; size: number }[];

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-update-'));
    const tree = path.join(folder, 'tree');
    mkdirSync(path.join(tree, 'program'), { recursive: true, mode: 0o755 });
    writeFileSync(path.join(tree, 'node'), Buffer.alloc(400_000, 'abc'));
    writeFileSync(path.join(tree, 'program/curfew-agent.js'), 'new');
    const file = path.join(folder, 'made.tar.gz');
    // Of several parts: not compressed.
    const args = ['--format=ustar', '--mode=u=rwX,go=rX', '-C', tree, '-cf', '-', 'node', 'program'];
    const tar = execFileSync('tar', args, { maxBuffer: 2 ** 24 });
    writeFileSync(file, execFileSync('gzip', ['-1nc'], { input: tar, maxBuffer: 2 ** 24 }));
    archive = readFileSync(file);
    versions = new VersionsFolder(path.join(folder, 'versions'));
    clock = new HastyClock();
    [restarts, told, linked, recording, calls] = [0, [], true, false, []];
    fault = () => undefined;
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const statement = (change: Partial<ReleaseStatement> = {}, by = key): string =>
    signRelease(
      {
        product: 'curfew-agent',
        version: '0.3.0',
        platform: 'linux',
        arch: 'x64',
        size: archive.length,
        sha256: createHash('sha256').update(archive).digest('hex'),
        ...change,
      },
      by,
    );

  const call = (async (_: unknown, { offset, maxSize }: FetchReleaseRequest) => {
    const trouble = fault(calls.length, Number(offset), maxSize);
    calls.push({ offset: Number(offset), size: maxSize });
    if (trouble instanceof Error) throw trouble;
    return { piece: trouble ?? archive.subarray(Number(offset), Number(offset) + maxSize) };
  }) as unknown as ServerLink['call'];

  /** An agent that has just started. */
  async function start(version: string, more: Partial<UpdaterParts> = {}): Promise<Updater> {
    const updater: Updater = new Updater({
      versions,
      running: { version, platform: 'linux', arch: 'x64' },
      keys: () => Promise.resolve(keys),
      link: {
        call,
        get linked() {
          return linked;
        },
      },
      tryProgram: async (place) => {
        assert.equal(readFileSync(path.join(place, 'program/curfew-agent.js'), 'utf8'), 'new');
      },
      isRecording: () => Promise.resolve(recording),
      othersRunning: () => Promise.resolve(['0.1.5']),
      restart: () => (restarts += 1),
      changed: () => {
        const { state, version: about = '', code = '' } = updater.status ?? { state: UpdateState.UNSPECIFIED };
        told.push([UpdateState[state], about, code].filter(Boolean).join(' '));
      },
      proof: durationMs(5 * SECOND),
      clock,
      logger: silentLogger,
      ...more,
    });
    await updater.begin();
    return updater;
  }
  const settled = async (done: () => boolean): Promise<void> => {
    for (let turn = 0; !done(); turn += 1) {
      if (turn > 200_000) throw new Error(`it did not come to an end: ${told.join(', ')}`);
      await stat('/');
    }
  };
  const whenOver = (): Promise<void> =>
    settled(() => restarts > 0 || /REFUSED|ROLLED_BACK|INSTALLED/.test(told.at(-1) ?? ''));
  const there = (): string[] => readdirSync(versions.folder).sort();

  it('is fetched, unpacked, tried, chosen, and has the agent start anew', async () => {
    const updater = await start('0.2.0');
    updater.offer(statement());
    await whenOver();
    assert.deepEqual(told, ['UNSPECIFIED', 'FETCHING 0.3.0', 'TRYING 0.3.0']);
    assert.deepEqual([restarts, await versions.chosen(), await versions.proved()], [1, '0.3.0', '']);
    assert.deepEqual(there(), ['.made-0.3.0', '0.3.0', 'chosen']);
    assert.equal(readFileSync(path.join(versions.place('0.3.0'), 'program/curfew-agent.js'), 'utf8'), 'new');
  });

  it('goes on where it was, in smaller parts, when parts do not come', async () => {
    fault = (at) => (at === 0 ? new CurfewError('SERVER_UNREACHABLE') : undefined);
    const updater = await start('0.2.0');
    updater.offer(statement());
    await whenOver();
    assert.equal(restarts, 1);
    assert.deepEqual([calls[0]?.offset, calls[1]?.offset], [0, 0]);
    assert.ok((calls[1]?.size ?? 0) <= (calls[0]?.size ?? 0));
  });

  it('comes in smaller parts where a part takes long, and in larger ones where it does not', async () => {
    archive = randomBytes(600_000);
    fault = (at) => {
      if (at < 3) clock.advance(durationMs(SECOND));
      return undefined;
    };
    const updater = await start('0.2.0');
    updater.offer(statement());
    await whenOver();
    const sizes = calls.map(({ size }) => size / 1024);
    assert.deepEqual(sizes.slice(0, 8), [64, 32, 16, 8, 16, 32, 64, 128]);
    assert.equal(updater.status?.code, 'RELEASE_UNSAFE', 'it was fetched whole, and is no archive');
  });

  it('waits for commands that are recorded, and for the link', async () => {
    [recording, linked] = [true, true];
    const updater = await start('0.2.0');
    updater.offer(statement());
    await settled(() => told.at(-1) === 'WAITING 0.3.0');
    assert.equal(restarts, 0);
    [recording, linked] = [false, false];
    for (let turn = 0; turn < 50; turn += 1) await stat('/');
    assert.equal(restarts, 0);
    linked = true;
    await whenOver();
    assert.equal(restarts, 1);
  });

  it('that is offered no more is left alone', async () => {
    recording = true;
    const updater = await start('0.2.0');
    updater.offer(statement());
    await settled(() => told.at(-1) === 'WAITING 0.3.0');
    updater.offer('');
    recording = false;
    for (let turn = 0; turn < 100; turn += 1) await stat('/');
    assert.deepEqual([restarts, await versions.chosen()], [0, '']);
  });

  const flipped = (): Buffer => {
    const bytes = Buffer.from(archive);
    bytes[bytes.length >> 1]! ^= 1;
    return bytes;
  };
  for (const { name, code, offer, serves } of [
    { name: 'a stranger has signed', code: 'RELEASE_SIGNATURE_INVALID', offer: () => statement({}, stranger) },
    { name: 'nobody has signed', code: 'RELEASE_MALFORMED', offer: () => 'x.y.z' },
    { name: 'is for another system', code: 'RELEASE_WRONG_PLATFORM', offer: () => statement({ platform: 'darwin' }) },
    { name: 'is for another processor', code: 'RELEASE_WRONG_PLATFORM', offer: () => statement({ arch: 'arm64' }) },
    { name: 'is older', code: 'RELEASE_NOT_NEWER', offer: () => statement({ version: '0.1.9' }) },
    { name: 'is cut', code: 'RELEASE_DAMAGED', serves: () => Buffer.alloc(0) },
    { name: 'has another byte', code: 'RELEASE_DAMAGED', serves: flipped },
    { name: 'the server does not have', code: 'RELEASE_NOT_FOUND', serves: () => new CurfewError('RELEASE_NOT_FOUND') },
    {
      name: 'is no archive',
      code: 'RELEASE_UNSAFE',
      offer: () => {
        archive = Buffer.from('this is not one');
        return statement();
      },
    },
  ] as readonly {
    name: string;
    code: string;
    offer?: () => string;
    serves?: () => Buffer | Error;
  }[])
    it(`that ${name} is refused, and nothing changes`, async () => {
      const updater = await start('0.2.0');
      const token = offer?.() ?? statement();
      if (serves !== undefined) {
        const answer = serves();
        fault = (_, offset, size) => (answer instanceof Buffer ? answer.subarray(offset, offset + size) : answer);
      }
      updater.offer(token);
      await whenOver();
      assert.equal(updater.status?.code, code);
      assert.equal(updater.status.state, UpdateState.REFUSED);
      assert.deepEqual([restarts, await versions.chosen(), there()], [0, '', []]);
    });

  it('is refused when it does not pass its check, and nothing is left of it', async () => {
    const updater = await start('0.2.0', {
      tryProgram: () => Promise.reject(new CurfewError('RELEASE_CHECK_FAILED', { problem: 'x' })),
    });
    updater.offer(statement());
    await whenOver();
    assert.equal(updater.status?.code, 'RELEASE_CHECK_FAILED');
    assert.deepEqual([restarts, await versions.chosen()], [0, '']);
    assert.equal(existsSync(versions.unpacking), false);
  });

  it('of the version that runs is nothing', async () => {
    const updater = await start('0.3.0');
    updater.offer(statement());
    for (let turn = 0; turn < 50; turn += 1) await stat('/');
    assert.deepEqual([told, restarts, calls.length], [['UNSPECIFIED'], 0, 0]);
  });

  it('is known to work once it has been linked for long enough without a break', async () => {
    await versions.prepare();
    for (const version of ['0.1.0', '0.1.5', '0.2.0', '0.3.0']) mkdirSync(versions.place(version));
    await versions.choose('0.3.0');
    linked = false;
    await start('0.3.0');
    for (let turn = 0; turn < 50; turn += 1) await stat('/');
    assert.equal(await versions.proved(), '');
    linked = true;
    await whenOver();
    assert.deepEqual([told, await versions.proved()], [['TRYING 0.3.0', 'INSTALLED 0.3.0'], '0.3.0']);
    // What a program of it still runs from stays.
    await settled(() => !existsSync(versions.place('0.2.0')) && !existsSync(versions.place('0.1.0')));
    assert.deepEqual(there(), ['0.1.5', '0.3.0', 'chosen', 'proved']);
  });

  it('that was given up is told of, and only a newer one is tried', async () => {
    await versions.prepare();
    await versions.choose('0.3.0');
    writeFileSync(path.join(versions.folder, 'bad'), '0.3.0 it hung\n');
    const updater = await start('0.2.0');
    assert.deepEqual([told, updater.status?.detail], [['ROLLED_BACK 0.3.0'], 'it hung']);
    updater.offer(statement());
    for (let turn = 0; turn < 50; turn += 1) await stat('/');
    assert.deepEqual([restarts, calls.length], [0, 0]);
    updater.offer(statement({ version: '0.3.1' }));
    await settled(() => restarts > 0);
    assert.equal(await versions.chosen(), '0.3.1');
  });

  it('is not taken where no release key is installed', async () => {
    const updater = await start('0.2.0', { keys: () => Promise.resolve([]) });
    updater.offer(statement());
    for (let turn = 0; turn < 50; turn += 1) await stat('/');
    assert.deepEqual([updater.status, told, calls.length], [undefined, [], 0]);
  });
});
