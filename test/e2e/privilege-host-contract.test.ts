import assert from 'node:assert/strict';
import { DEVICE_PROGRAM } from '../support/device-init.js';
import { Device } from '../support/device.js';
import { describeOn } from '../support/machine-needs.js';

const CONTRACT = `${DEVICE_PROGRAM}/agent/dist/platform/linux/on-device-contract.js`;
const MOCHA = `${DEVICE_PROGRAM}/node_modules/mocha/bin/mocha.js`;

interface Report {
  readonly passes: readonly { readonly fullTitle: string }[];
  readonly failures: readonly { readonly fullTitle: string; readonly err: { readonly stack?: string } }[];
}

/** Runs the contract as root on a device, with what the agent itself is made of. */
async function runOn(device: Device): Promise<Report> {
  const args = [MOCHA, '--no-config', '--reporter', 'json', CONTRACT];
  const { stdout, stderr } = await device.run(['node', ...args], { timeoutMs: 240_000 });
  assert.ok(stdout.startsWith('{'), stdout + stderr);
  return JSON.parse(stdout) as Report;
}

const told = ({ failures }: Report): string[] =>
  failures.map(({ fullTitle, err }) => `${fullTitle}: ${err.stack ?? ''}`);
const about = ({ passes }: Report, what: string): number =>
  passes.filter(({ fullTitle }) => fullTitle.startsWith(what)).length;

const USERS = [{ name: 'alice' }, { name: 'bob' }];

describeOn(['devices'], 'the contract of privilege hosts', function () {
  this.timeout(300_000);

  it('is kept by the adapters on a real machine without systemd, for sudo rules', async () => {
    const device = await Device.start({ name: 'plain-1', users: USERS });
    try {
      const report = await runOn(device);
      assert.deepEqual(told(report), []);
      assert.ok(about(report, 'sudo rules') >= 15, JSON.stringify(report.passes));
    } finally {
      await device.dispose();
    }
  });
});

describeOn(['systemd devices'], 'the contract of privilege hosts, under systemd', function () {
  this.timeout(300_000);

  it('is kept by the adapters on a real machine, for sudo rules and group memberships', async () => {
    const device = await Device.start({ name: 'server-1', users: USERS, init: 'systemd' });
    try {
      const report = await runOn(device);
      assert.deepEqual(told(report), []);
      assert.ok(
        about(report, 'sudo rules') >= 15 && about(report, 'group memberships') >= 15,
        JSON.stringify(report.passes),
      );
    } finally {
      await device.dispose();
    }
  });
});
