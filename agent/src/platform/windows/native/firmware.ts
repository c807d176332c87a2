import { kernelCall } from './library.js';

const getFirmwareTable = kernelCall<number>(
  'uint32 __stdcall GetSystemFirmwareTable(uint32 provider, uint32 table, void *buffer, uint32 size)',
);
/** 'RSMB': the tables of SMBIOS. */
const RAW_SMBIOS = 0x52534d42;

/** The firmware's tables; empty where there are none. */
export function firmwareTables(): Buffer {
  const tables = Buffer.alloc(getFirmwareTable(RAW_SMBIOS, 0, null, 0));
  const length = tables.length === 0 ? 0 : getFirmwareTable(RAW_SMBIOS, 0, tables, tables.length);
  return tables.subarray(0, Math.min(length, tables.length));
}
