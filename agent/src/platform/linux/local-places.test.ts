import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fingerprintOf } from './etc-accounts.js';
import { FileItems } from './lasting-power/file-items.js';
import { LocalPlaces } from './local-places.js';

describe('places of this machine', () => {
  let folder: string;

  beforeEach(() => {
    folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'curfew-places-')));
    for (const name of ['local/home', 'far/home', 'with space/home']) mkdirSync(at(name), { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const at = (name: string): string => path.join(folder, name);

  /** The places where these mounts are, below the folder. */
  function placesWith(mounts: Record<string, string>): Promise<LocalPlaces> {
    const line = (place: string, type: string): string =>
      `36 35 0:52 / ${place.replaceAll(' ', String.raw`\040`)} rw,relatime shared:1 - ${type} server:/x rw`;
    const lines = [line('/', 'overlay'), ...Object.entries(mounts).map(([name, type]) => line(at(name), type))];
    writeFileSync(at('mountinfo'), [...lines, 'what nobody understands', ''].join('\n'));
    return LocalPlaces.now(at('mountinfo'));
  }

  /** What paths lead to. */
  async function resolved(mounts: Record<string, string>, ...names: string[]): Promise<(string | undefined)[]> {
    const places = await placesWith(mounts);
    const found = await Promise.all(names.map((name) => places.resolve(`${folder}/${name}`)));
    return found.map((one) => (one === undefined ? undefined : path.relative(folder, one)));
  }

  for (const type of ['nfs', 'nfs4', 'cifs', 'smb3', 'fuse.sshfs', 'fuse', 'autofs', '9p', 'ceph', 'afs'])
    it(`are not those below a mount of ${type}, nor the mount itself`, async () => {
      const names = ['far', 'far/home', 'far/none', 'local/home', 'farther'];
      assert.deepEqual(await resolved({ far: type }, ...names), [
        undefined,
        undefined,
        undefined,
        'local/home',
        'farther',
      ]);
    });

  it('are those below mounts of disks and memory, but not where these lie below another machine', async () => {
    assert.deepEqual(await resolved({ far: 'ext4', local: 'tmpfs' }, 'far/home', 'local/home'), [
      'far/home',
      'local/home',
    ]);
    // Mounted by an automounter: it may be gone the next time.
    assert.deepEqual(await resolved({ far: 'autofs', 'far/home': 'ext4' }, 'far/home'), [undefined]);
    assert.deepEqual(await resolved({ 'with space': 'nfs' }, 'with space/home'), [undefined]);
  });

  it('are followed through links, and not where these lead to another machine or in a circle', async () => {
    symlinkSync('local/home', at('near'));
    symlinkSync(at('far/home'), at('away'));
    symlinkSync('../far', at('local/up'));
    for (const [name, target] of [
      ['one', 'two'],
      ['two', 'one'],
    ] as const)
      symlinkSync(target, at(name));
    const names = ['near', 'near/file', 'away/file', 'local/up/home', 'near/../home', 'one/file'];
    assert.deepEqual(await resolved({ far: 'nfs4' }, ...names), [
      'local/home',
      'local/home/file',
      undefined,
      undefined,
      'local/home',
      undefined,
    ]);
  });

  it('are all that is asked of a home: with another one an account is told apart by what its line says', async () => {
    const alice = { name: 'alice', uid: 1000, gid: 1000, home: at('far/home') };
    const made = Math.floor(statSync(alice.home).birthtimeMs);
    const expected = (when: number): string =>
      createHash('sha256').update(['alice', 1000, 1000, alice.home, when].join('\0')).digest('hex');
    assert.ok(made > 0);
    assert.equal(await fingerprintOf(alice, await placesWith({})), expected(made));
    assert.equal(await fingerprintOf(alice, await placesWith({ far: 'nfs4' })), expected(0));
  });

  it('are all that is looked into for keys', async () => {
    const keys = ['local', 'far'].map((name) => at(`${name}/home/authorized_keys`));
    for (const file of keys) writeFileSync(file, 'ssh-ed25519 AAAA');
    const items = new FileItems({ entries: 10, bytes: 1_000 }, () => placesWith({ far: 'nfs' }));
    const place = { kind: 'authorized_keys', weight: 'warning', paths: keys, longestBytes: 1_000 } as const;
    assert.deepEqual(
      (await items.read([place])).map(({ subject }) => subject),
      keys.slice(0, 1),
    );
  });

  it('are all where nothing can be read of mounts, as on a machine whose root is another one', async () => {
    const none = await LocalPlaces.now(at('none'));
    assert.equal(await none.resolve(at('far/home')), at('far/home'));
    writeFileSync(at('mountinfo'), '36 35 0:52 / / rw - nfs server:/x rw\n');
    const diskless = await LocalPlaces.now(at('mountinfo'));
    assert.equal(await diskless.resolve(at('far/home')), at('far/home'));
  });
});
