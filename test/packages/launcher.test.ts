import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKOUT } from '../support/device.js';
import { describeOn } from '../support/machine-needs.js';
import { captureTool } from '../support/tool.js';

/** A node that only says which one it is, and what it was told. */
const NODE = '#!/bin/sh\necho "${0%/node} $*"\n';

describeOn(['devices'], 'the launcher of the agent', function () {
  // Each start is a shell with some dozens of programs.
  this.timeout(60_000);
  let folder: string;
  let launcher: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'curfew-launcher-'));
    launcher = join(folder, 'launcher');
    const text = readFileSync(join(CHECKOUT, 'packaging/linux/launcher.sh'), 'utf8')
      .replace('LIB=@LIB@', `LIB=${folder}/lib`)
      .replace(/^VERSIONS=.*$/m, `VERSIONS=${folder}/versions`)
      // What the machine itself runs is not this test's.
      .replace('systemctl restart', 'true restart')
      .replace('@FLAGS@', '')
      .replace('@NAME@', 'curfew-agent');
    writeFileSync(launcher, text, { mode: 0o755 });
    program('lib', '0.2.0');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function program(place: string, version: string): void {
    mkdirSync(join(folder, place, 'program'), { recursive: true, mode: 0o755 });
    writeFileSync(join(folder, place, 'node'), NODE, { mode: 0o755 });
    writeFileSync(join(folder, place, 'program/curfew-agent.js'), '');
    writeFileSync(join(folder, place, 'program/package.json'), `{"type":"module","version":"${version}"}\n`);
  }
  const fetched = (version: string): void => program(`versions/${version}`, version);
  const put = (name: string, text: string): void => {
    mkdirSync(join(folder, 'versions'), { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, 'versions', name), `${text}\n`);
  };
  /** Which version is started: 'lib' is the package's. */
  const started = async (command = 'run', env: Readonly<Record<string, string>> = {}): Promise<string> => {
    // Nobody waits for its child that gives a trial up: it ends by itself.
    const quick = { PATH: process.env['PATH'] ?? '', CURFEW_UPDATE_PATIENCE: '0', NOTIFY_SOCKET: '/none', ...env };
    const { stdout, exitCode, stderr } = await captureTool(launcher, [command], { env: quick, timeoutMs: 20_000 });
    assert.equal(exitCode ?? 0, 0, stderr);
    return stdout.split(' ')[0]?.replace(`${folder}/`, '').replace('versions/', '') ?? '';
  };
  const kept = (name: string): string => readFileSync(join(folder, 'versions', name), 'utf8').trim();

  it('starts what the package has while nothing came from the server', async () => {
    assert.equal(await started(), 'lib');
  });

  it('starts the newest that has proved itself, also after a newer one was given up', async () => {
    fetched('0.10.0');
    put('proved', '0.10.0');
    assert.equal(await started(), '0.10.0');
    assert.equal(await started('status'), '0.10.0');
    fetched('0.11.0');
    put('chosen', '0.11.0');
    put('bad', '0.11.0 it hung');
    assert.equal(await started(), '0.10.0');
  });

  it('starts the package when that is newer, or the same', async () => {
    for (const version of ['0.1.9', '0.2.0']) {
      fetched(version);
      put('proved', version);
      put('chosen', version);
      assert.equal(await started(), 'lib', version);
    }
  });

  it('tries a version three times, only where it is to run for good, and then gives it up', async () => {
    fetched('0.3.0');
    put('chosen', '0.3.0');
    // It is not given up for being late here.
    const patient = { CURFEW_UPDATE_PATIENCE: '1' };
    assert.equal(await started('status'), 'lib');
    assert.equal(await started('run', { NOTIFY_SOCKET: '' }), 'lib');
    assert.equal(await started('run', { NOTIFY_SOCKET: '', CURFEW_SUPERVISED: 'no' }), 'lib');
    for (const count of [1, 2, 3]) {
      assert.equal(await started('run', patient), '0.3.0');
      assert.equal(kept('starts'), `0.3.0 ${count}`);
    }
    assert.equal(await started('run', patient), 'lib');
    assert.match(kept('bad'), /^0\.3\.0 it was started three times/);
    // Another one has its own count.
    fetched('0.3.1');
    put('chosen', '0.3.1');
    assert.equal(await started('run', patient), '0.3.1');
    assert.equal(kept('starts'), '0.3.1 1');
  });

  it('tries a version under every supervisor that says that it is one', async () => {
    fetched('0.3.0');
    put('chosen', '0.3.0');
    const other = { NOTIFY_SOCKET: '', CURFEW_SUPERVISED: 'yes', CURFEW_UPDATE_PATIENCE: '1' };
    assert.equal(await started('run', other), '0.3.0');
    assert.equal(kept('starts'), '0.3.0 1');
  });

  it('ends a version that hangs, and gives it up', async () => {
    fetched('0.3.0');
    put('chosen', '0.3.0');
    writeFileSync(join(folder, 'versions/0.3.0/node'), '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 });
    const env = { CURFEW_SUPERVISED: 'yes', CURFEW_UPDATE_PATIENCE: '0' };
    const { signal } = await captureTool(launcher, ['run'], { env, timeoutMs: 20_000 });
    assert.equal(signal, 'SIGKILL');
    assert.match(kept('bad'), /^0\.3\.0 it was not linked to the server for long enough within 0 seconds/);
  });

  it('gives a version up that ends in a way after which it would not be started again', async () => {
    fetched('0.3.0');
    put('chosen', '0.3.0');
    assert.equal(await started('after-stop', { EXIT_STATUS: '1' }), '');
    assert.equal(await started('run', { CURFEW_UPDATE_PATIENCE: '1' }), '0.3.0');
    await captureTool(launcher, ['after-stop'], { env: { EXIT_STATUS: '6' }, timeoutMs: 20_000 });
    assert.equal(kept('bad'), '0.3.0 it ended with the exit code 6');
    assert.equal(await started(), 'lib');
  });

  it('starts something that works, wherever a switch was cut short', async () => {
    // As the agent does it, and then the launcher; each step may be the last.
    const steps: [string, () => void, string][] = [
      ['an archive was fetched', () => put('.archive-x', 'x'), 'lib'],
      ['half of it was unpacked', () => program('versions/.unpacking', '0.3.0'), 'lib'],
      ['it has its place', () => fetched('0.3.0'), 'lib'],
      ['it is about to be chosen', () => put('.chosen', '0.3.0'), 'lib'],
      ['it is chosen', () => put('chosen', '0.3.0'), '0.3.0'],
      ['its count was cut', () => put('.starts.new', ''), '0.3.0'],
      ['its count is nothing', () => put('starts', ''), '0.3.0'],
      ['it is about to have proved itself', () => put('.proved', '0.3.0'), '0.3.0'],
      ['it has proved itself', () => put('proved', '0.3.0'), '0.3.0'],
      ['the next is chosen, and not there', () => put('chosen', '0.4.0'), '0.3.0'],
      ['who was proved is gone', () => rmSync(join(folder, 'versions/0.3.0'), { recursive: true }), 'lib'],
    ];
    for (const [step, take, runs] of steps) {
      take();
      assert.equal(await started('run', { CURFEW_UPDATE_PATIENCE: '5' }), runs, step);
      rmSync(join(folder, 'versions/starts'), { force: true });
    }
  });

  for (const { name, spoil } of [
    { name: 'somebody else owns a file', spoil: (place: string) => chownSync(join(place, 'node'), 1000, 0) },
    {
      name: 'others may write a file',
      spoil: (place: string) => chmodSync(join(place, 'program/package.json'), 0o666),
    },
    { name: 'others may write a folder', spoil: (place: string) => chmodSync(join(place, 'program'), 0o777) },
    { name: 'it has a link', spoil: (place: string) => symlinkSync('/tmp', join(place, 'program/link')) },
    { name: 'others may write the folder of all', spoil: (place: string) => chmodSync(join(place, '..'), 0o777) },
    { name: 'it has no program', spoil: (place: string) => rmSync(join(place, 'program/curfew-agent.js')) },
  ])
    it(`leaves a version alone of which ${name}`, async () => {
      fetched('0.3.0');
      chmodSync(join(folder, 'versions'), 0o700);
      put('proved', '0.3.0');
      assert.equal(await started(), '0.3.0');
      spoil(join(folder, 'versions/0.3.0'));
      assert.equal(await started(), 'lib');
    });

  for (const text of ['../lib', '/etc', '0.3', '0.3.0.0', '.', '', '0..3', '0.3.0;id', '$(id)'])
    it(`takes ${JSON.stringify(text)} for no version`, async () => {
      fetched('0.3.0');
      put('proved', text);
      put('chosen', text);
      assert.equal(await started(), 'lib');
    });
});
