import assert from 'node:assert/strict';
import { Device } from '../support/device.js';
import type { DeviceProcess } from '../support/device-process.js';
import { describeOn } from '../support/machine-needs.js';
import { treeEntries } from '../support/tree-hash.js';
import { eventually } from '../support/wait.js';

interface Result {
  readonly passed: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly passed: boolean;
    readonly detail: string;
    readonly secondsAfterDeadline?: number;
  }[];
}

const NAMES = [
  'refused without a session',
  'works in a session',
  'refused on time with the agent killed',
  'the rule is removed without the agent',
  'refused right after a revoke',
  'sudo reads its rules',
  'everything is as before',
];
/** The selftest's own right, as soon as it is there. */
const OWN_RULE = 'until ls /run/curfew-selftest/sudoers.d/*-ses-* >/run/own-rule 2>/dev/null; do sleep 0.02; done';
const MORE_RULES = `uid=$(basename $(cat /run/own-rule)); echo "#\${uid%%-*} ALL=(ALL) NOPASSWD: ALL" > /run/more
  install -m 0440 /run/more /etc/sudoers.d/zzz-more`;

async function runJson(device: Device): Promise<{ exitCode: number | null; result: Result }> {
  const { exitCode, stdout, stderr } = await device.run(['curfew-agent', 'selftest', '-o', 'json'], {
    timeoutMs: 170_000,
  });
  assert.ok(stdout.startsWith('{'), stdout + stderr);
  return { exitCode, result: JSON.parse(stdout) as Result };
}
const failed = ({ checks }: Result): string[] => checks.filter(({ passed }) => !passed).map(({ name }) => name);
const detail = ({ checks }: Result, at: number): string => checks.find(({ name }) => name === NAMES[at])?.detail ?? '';
const testAccounts = (device: Device): Promise<string> =>
  device.must(['bash', '-c', 'grep ^curfew-test- /etc/passwd || true']);

/** All of /etc but the copies that the account tools keep of what was before. */
async function etcOf(device: Device): Promise<Map<string, string>> {
  const entries = await treeEntries(`${device.root}/etc`);
  for (const name of ['passwd', 'shadow', 'group', 'gshadow', 'subuid', 'subgid']) entries.delete(`${name}-`);
  entries.delete('.pwd.lock');
  return entries;
}
async function leftNothing(device: Device, before: Map<string, string>): Promise<void> {
  assert.deepEqual(await etcOf(device), before);
  assert.equal(await testAccounts(device), '');
  assert.equal((await device.run(['test', '-e', '/run/curfew-selftest'])).exitCode, 1);
  await eventually(async () => (await device.run(['pgrep', '-f', 'curfew-agent.js|curfew-watchdog'])).exitCode === 1, {
    withinMs: 30_000,
    what: 'no process of the selftest',
  });
}
/** Starts a selftest, and waits until it has given its right. */
async function begun(device: Device): Promise<DeviceProcess> {
  const running = device.spawn(['curfew-agent', 'selftest']);
  await device.must(['bash', '-c', OWN_RULE], { timeoutMs: 120_000 });
  assert.notEqual(await testAccounts(device), '');
  return running;
}

describeOn(['devices'], 'curfew-agent selftest', function () {
  this.timeout(240_000);
  const devices: Device[] = [];
  const start = async (name: string): Promise<Device> => {
    const device = await Device.start({ name, users: [{ name: 'alice' }] });
    devices.push(device);
    return device;
  };
  afterEach(async () => {
    await Promise.all(devices.splice(0).map((device) => device.dispose()));
  });

  /** Nothing is broken here, but an earlier selftest was killed. */
  async function showsThatRightsEnd(): Promise<void> {
    const device = await start('sound-1');
    const before = await etcOf(device);
    await (await begun(device)).stop('SIGKILL');
    assert.notEqual(await testAccounts(device), '');
    const { exitCode, result } = await runJson(device);
    assert.deepEqual(failed(result), [], JSON.stringify(result));
    assert.deepEqual([exitCode, result.passed], [0, true]);
    const names = result.checks.map(({ name }) => name);
    assert.deepEqual(names, NAMES);
    for (const { secondsAfterDeadline = 0 } of result.checks)
      assert.ok(secondsAfterDeadline > -6 && secondsAfterDeadline <= 6, JSON.stringify(result));
    await leftNothing(device, before);
  }

  /** Somebody's rule lets the account use sudo from the moment that it has its own. */
  async function failsWhereSudoGoesOn(): Promise<void> {
    const device = await start('open-1');
    device.spawn(['bash', '-c', `${OWN_RULE}; ${MORE_RULES}`]);
    const { exitCode, result } = await runJson(device);
    assert.deepEqual([exitCode, result.passed], [1, false]);
    assert.deepEqual(failed(result), [NAMES[2], NAMES[4], NAMES[6]], JSON.stringify(result));
    assert.match(detail(result, 2), /^not even \d+\.\d s after the deadline; the bound is 5 s$/);
    assert.equal(detail(result, 6), '/etc/sudoers.d/zzz-more');
    assert.equal(await testAccounts(device), '');
  }

  /** The remover is killed together with the agent; sudo's own end time is left. */
  async function failsWithoutRemover(): Promise<void> {
    const device = await start('unwatched-1');
    const before = await etcOf(device);
    device.spawn(['bash', '-c', `${OWN_RULE}; pkill -KILL -f curfew-watchdog`]);
    const { exitCode, result } = await runJson(device);
    assert.deepEqual([exitCode, result.passed], [1, false]);
    assert.deepEqual(failed(result), ['the rule is removed without the agent'], JSON.stringify(result));
    await leftNothing(device, before);
  }

  it('passes where rights end, fails where sudo goes on or nothing removes, says why, and leaves nothing', async () => {
    const outcomes = await Promise.allSettled([showsThatRightsEnd(), failsWhereSudoGoesOn(), failsWithoutRemover()]);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason as Error;
  });

  it('cleans up when it is interrupted; runs one at a time, and for root only', async () => {
    const device = await start('laptop-1');
    const before = await etcOf(device);
    const refused = await device.run(['curfew-agent', 'selftest'], { as: 'alice' });
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /METHOD_NOT_ALLOWED/);
    const first = await begun(device);
    const second = await device.run(['curfew-agent', 'selftest']);
    assert.equal(second.exitCode, 1);
    assert.match(second.stderr, /SELFTEST_RUNNING/);
    assert.deepEqual(await first.stop('SIGINT', 60_000), { exitCode: 130, signal: null });
    await leftNothing(device, before);
  });

  it('fails at once where everybody may use sudo anyway', async () => {
    const device = await start('laptop-1');
    await device.must(['tee', '/etc/sudoers.d/all'], { stdin: 'ALL ALL=(ALL) NOPASSWD: ALL\n' });
    await device.must(['chmod', '0440', '/etc/sudoers.d/all']);
    const { exitCode, result } = await runJson(device);
    assert.deepEqual([exitCode, failed(result)], [1, ['refused without a session']]);
    assert.equal(await testAccounts(device), '');
  });
});
