import assert from 'node:assert/strict';
import { DEVICE_PROGRAM } from './device-init.js';
import type { Device } from './device.js';

const PLATFORMS = `${DEVICE_PROGRAM}/agent/dist/platform`;
const CONTRACTS = { linux: 'linux/on-device-contract.js', darwin: 'darwin/on-device-mac-contract.js' };
const MOCHA = `${DEVICE_PROGRAM}/node_modules/mocha/bin/mocha.js`;

interface Report {
  readonly passes: readonly { readonly fullTitle: string }[];
  readonly failures: readonly { readonly fullTitle: string; readonly err: { readonly stack?: string } }[];
}

/** What became of the contract on a device. */
export interface ContractOutcome {
  /** Every promise that was not kept, with what happened instead. */
  readonly failed: readonly string[];
  /** How many were kept of those whose title begins so. */
  readonly passedAbout: (what: string) => number;
}

/** Runs the contract of privilege hosts as root on a device, with what the agent itself is made of; `only` what holds a text. */
export async function runContract(
  device: Device,
  { platform = 'linux', only = '' }: { readonly platform?: keyof typeof CONTRACTS; readonly only?: string } = {},
): Promise<ContractOutcome> {
  const args = [MOCHA, '--no-config', '--reporter', 'json', '--fgrep', only, `${PLATFORMS}/${CONTRACTS[platform]}`];
  const { stdout, stderr } = await device.run(['node', ...args], { timeoutMs: 240_000 });
  assert.ok(stdout.startsWith('{'), stdout + stderr);
  const { passes, failures } = JSON.parse(stdout) as Report;
  return {
    failed: failures.map(({ fullTitle, err }) => `${fullTitle}: ${err.stack ?? ''}`),
    passedAbout: (what) => passes.filter(({ fullTitle }) => fullTitle.startsWith(what)).length,
  };
}
