import type { LocalServiceService } from '@curfew/proto';
import type { Refusal } from './api-client.js';
import { DEVICE_BIN, DEVICE_PROGRAM } from './device-init.js';
import type { Device } from './device.js';

type MethodName = Exclude<keyof typeof LocalServiceService, 'watchStatus'>;

/** One call of a person to the agent: the exact bytes of the request. */
export interface LocalCall {
  readonly uid: number;
  readonly method: MethodName;
  readonly hex: string;
}

export interface LocalAnswer {
  /** The bytes of the answer. */
  readonly hex?: string;
  readonly refusal?: Refusal;
}

/** A call with a request as the generated code writes it. */
export function localCall<Q>(
  uid: number,
  method: MethodName,
  encode: { encode(message: Q): { finish(): Uint8Array } },
  request: Q,
): LocalCall {
  return { uid, method, hex: Buffer.from(encode.encode(request).finish()).toString('hex') };
}

/** What the caller on the device is told. */
export interface LocalCalls {
  readonly calls: readonly LocalCall[];
  /** All on one connection, none waiting for another; they must be of one uid. */
  readonly atOnce: boolean;
}

async function runCaller(device: Device, input: LocalCalls): Promise<LocalAnswer[]> {
  const program = [`${DEVICE_BIN}/node`, `${DEVICE_PROGRAM}/test/dist/support/local-caller.js`];
  return JSON.parse(await device.must(program, { stdin: JSON.stringify(input), timeoutMs: 60_000 })) as LocalAnswer[];
}

/** Makes the calls on the device, one after the other, in one process that takes on each caller's uid. */
export const callAgent = (device: Device, calls: readonly LocalCall[]): Promise<LocalAnswer[]> =>
  runCaller(device, { calls, atOnce: false });

/** Makes calls of one uid, all at once. */
export const stormAgent = (device: Device, calls: readonly LocalCall[]): Promise<LocalAnswer[]> =>
  runCaller(device, { calls, atOnce: true });
