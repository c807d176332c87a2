import assert from 'node:assert/strict';
import { FakeWindows, LANGUAGES } from './fake-windows.js';
import { bootIdOf, releaseOf, systemUuid } from './windows-machine.js';

const VERSION = String.raw`SOFTWARE\Microsoft\Windows NT\CurrentVersion`;

describe('a machine with Windows', () => {
  let windows: FakeWindows;

  beforeEach(() => {
    windows = new FakeWindows(LANGUAGES[0]!);
  });
  afterEach(() => {
    windows.dispose();
  });

  it('has one id for each boot', () => {
    let made = 0;
    const id = (): string => bootIdOf(windows.registry, () => `boot-${(made += 1)}`);
    assert.deepEqual([id(), id()], ['boot-1', 'boot-1']);
    windows.reboot();
    assert.equal(id(), 'boot-2');
  });

  // The values of these keys as Windows 10 22H2, 11 23H2 and Server 2022 have them.
  for (const [product, build, display, release] of [
    ['Windows 10 Pro', '19045', '22H2', 'Windows 10 Pro 22H2'],
    ['Windows 10 Enterprise', '22631', '23H2', 'Windows 11 Enterprise 23H2'],
    ['Windows Server 2022 Standard', '20348', '21H2', 'Windows Server 2022 Standard 21H2'],
    ['Windows 10 Pro', '17134', undefined, 'Windows 10 Pro'],
  ] as const)
    it(`is called ${release}`, () => {
      windows.values.set(`${VERSION}\\ProductName`, product).set(`${VERSION}\\CurrentBuildNumber`, build);
      if (display !== undefined) windows.values.set(`${VERSION}\\DisplayVersion`, display);
      assert.equal(releaseOf(windows.registry), release);
    });

  it('is called Windows where the registry says nothing', () => {
    assert.equal(releaseOf(windows.registry), 'Windows');
  });

  describe('in the tables of its firmware (SMBIOS 3.4, DSP0134)', () => {
    const structure = (type: number, fields: Buffer, texts = 'Vendor\0'): Buffer =>
      Buffer.concat([Buffer.from([type, 4 + fields.length, 0, 0]), fields, Buffer.from(`${texts}\0`)]);
    const tables = (...structures: Buffer[]): Buffer => Buffer.concat([Buffer.alloc(8), ...structures]);
    const system = (uuid: string): Buffer =>
      structure(1, Buffer.concat([Buffer.alloc(4), Buffer.from(uuid, 'hex'), Buffer.alloc(3)]));
    const bios = structure(0, Buffer.alloc(20), 'Vendor\0' + '1.0\0');

    it('has the UUID of the system, its first three fields turned round', () => {
      // The example of 7.2.1: 33221100-5544-7766-8899-AABBCCDDEEFF.
      const uuid = '00112233445566778899aabbccddeeff';
      assert.equal(systemUuid(tables(bios, system(uuid))), '33221100-5544-7766-8899-aabbccddeeff');
    });

    it('has none that is all zeros or all ones, and none where the tables end', () => {
      for (const uuid of ['0'.repeat(32), 'f'.repeat(32)]) assert.equal(systemUuid(tables(bios, system(uuid))), '');
      const whole = tables(bios, system('11'.repeat(16)));
      for (let end = 0; end < whole.length - 6; end += 1)
        assert.match(systemUuid(whole.subarray(0, end)), /^(|11111111-1111-1111-1111-111111111111)$/);
      assert.equal(systemUuid(Buffer.alloc(0)), '');
      assert.equal(systemUuid(tables(structure(0, Buffer.alloc(0)).fill(0))), '');
    });
  });
});
