import { CurfewError, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { SecretFiles } from '../pki/secret-files.js';
import { SecretBox } from './secret-box.js';

describe('the box for secrets', () => {
  let folder: string;
  let files: SecretFiles;
  const isUnreadable = (error: unknown): boolean => error instanceof CurfewError && error.code === 'SECRET_UNREADABLE';

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'curfew-secrets-'));
    files = new SecretFiles(path.join(folder, 'pki'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('gives back what it was given, also after a restart, from a key file that only its owner reads', async () => {
    const sealed = (await SecretBox.open(files, systemRandom)).seal('whsec_Ää', 'chn-1');
    assert.equal((await SecretBox.open(files, systemRandom)).unseal(sealed, 'chn-1'), 'whsec_Ää');
    assert.equal(statSync(path.join(folder, 'pki/secrets.key')).mode & 0o777, 0o600);
  });

  it('shows nothing of a secret, and seals the same one differently each time', async () => {
    const box = await SecretBox.open(files, systemRandom);
    const [one, two] = [box.seal('hunter2hunter2', 'a'), box.seal('hunter2hunter2', 'a')];
    assert.notEqual(one, two);
    assert.ok(!Buffer.from(one.slice(3), 'base64url').includes('hunter2'));
  });

  it('opens nothing that was changed in any byte, cut, moved to another place, or sealed with another key', async () => {
    const box = await SecretBox.open(files, systemRandom);
    const sealed = box.seal('a secret', 'chn-1');
    const bytes = Buffer.from(sealed.slice(3), 'base64url');
    for (const at of bytes.keys()) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.throws(() => box.unseal(`v1.${changed.toString('base64url')}`, 'chn-1'), isUnreadable, `byte ${at}`);
    }
    for (const wrong of ['', 'v1.', 'v2.abc', sealed.slice(0, -4), sealed.slice(3)])
      assert.throws(() => box.unseal(wrong, 'chn-1'), isUnreadable, wrong);
    assert.throws(() => box.unseal(sealed, 'chn-2'), isUnreadable);
    const other = await SecretBox.open(new SecretFiles(path.join(folder, 'other')), systemRandom);
    assert.throws(() => other.unseal(sealed, 'chn-1'), isUnreadable);
  });

  it('refuses a damaged key instead of working with a weak one', async () => {
    writeFileSync(path.join(folder, 'pki/secrets.key'), 'c2hvcnQ=\n');
    await assert.rejects(SecretBox.open(files, systemRandom), (error: CurfewError) => error.code === 'STORAGE_UNSAFE');
  });
});
