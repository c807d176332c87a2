import os from 'node:os';
import type { Machine } from '../../ports/machine.js';
import type { RegistryApi } from './windows-api.js';

/** A key that Windows forgets when it restarts: what is in it tells this boot from every other. */
const BOOT_KEY = String.raw`SOFTWARE\Curfew\Boot`;
const VERSION_KEY = String.raw`SOFTWARE\Microsoft\Windows NT\CurrentVersion`;
const BIOS_KEY = String.raw`HARDWARE\DESCRIPTION\System\BIOS`;
/** Windows 11 calls itself 10 in ProductName; its builds begin here. */
const FIRST_BUILD_OF_11 = 22_000;

/** The id of this boot, made by the first who asks in it. A shutdown with fast startup is no restart: the kernel sleeps. */
export const bootIdOf = (registry: RegistryApi, makeId: () => string): string =>
  registry.volatileText(BOOT_KEY, 'Id', makeId);

/** Which Windows this is, as people call it. */
export function releaseOf(registry: RegistryApi): string {
  const build = registry.text(VERSION_KEY, 'CurrentBuildNumber') ?? '';
  const product = registry.text(VERSION_KEY, 'ProductName') ?? 'Windows';
  const name = Number(build) >= FIRST_BUILD_OF_11 ? product.replace(/^Windows 10\b/, 'Windows 11') : product;
  return [name, registry.text(VERSION_KEY, 'DisplayVersion')].filter(Boolean).join(' ');
}

/** The UUID of the system in the firmware's tables (SMBIOS, DSP0134, type 1); '' where there is none. */
export function systemUuid(tables: Buffer): string {
  // RawSMBIOSData: eight bytes of its own, then structures: type, length, handle, fields, and texts up to two NULs.
  for (let at = 8; at + 4 <= tables.length;) {
    const [type, length] = [tables.readUInt8(at), tables.readUInt8(at + 1)];
    if (length < 4) return '';
    if (type === 1 && length >= 0x18 && at + 0x18 <= tables.length) return uuidText(tables.subarray(at + 8, at + 24));
    const texts = tables.indexOf(Buffer.alloc(2), at + length);
    if (texts < 0) return '';
    at = texts + 2;
  }
  return '';
}

/** The first three fields are little-endian; all zeros or ones is no UUID. */
function uuidText(bytes: Buffer): string {
  if (bytes.every((byte) => byte === 0) || bytes.every((byte) => byte === 0xff)) return '';
  const fields = [bytes.subarray(0, 4), bytes.subarray(4, 6), bytes.subarray(6, 8)].map((field) =>
    Buffer.from(field).reverse().toString('hex'),
  );
  return [...fields, bytes.toString('hex', 8, 10), bytes.toString('hex', 10)].join('-');
}

/** This machine, by its registry and its firmware: no program is started for it. */
export const windowsMachine = (registry: RegistryApi, firmware: () => Buffer, makeId: () => string): Machine => {
  let bootId: string | undefined;
  return {
    bootId: () => (bootId ??= bootIdOf(registry, makeId)),
    facts: () =>
      Promise.resolve({
        hostname: os.hostname(),
        platform: 'windows',
        osRelease: releaseOf(registry),
        kernel: os.release(),
        architecture: os.arch(),
        hardwareId: systemUuid(firmware()),
        model: ['SystemManufacturer', 'SystemProductName']
          .map((name) => registry.text(BIOS_KEY, name) ?? '')
          .filter(Boolean)
          .join(' '),
      }),
  };
};
