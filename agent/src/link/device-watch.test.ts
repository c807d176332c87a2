import { durationMs, MINUTE, ManualClock, silentLogger } from '@curfew/shared';
import assert from 'node:assert/strict';
import { FakePrivilegeHost } from '../ports/fake-privilege-host.js';
import type { LocalAccount } from '../ports/account-directory.js';
import type { HostCapabilities } from '../ports/privilege-host.js';
import { DeviceWatch } from './device-watch.js';

/** Lets everything that waits for nothing but each other go on. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
};
const account = (name: string, uid: number): LocalAccount => ({
  name,
  uid,
  sid: '',
  fingerprint: 'a'.repeat(64),
  standingAdmin: false,
  ineligibleReason: '',
});

class FindingHost extends FakePrivilegeHost {
  findings: string[] = [];
  prepared = 0;
  wrong: string[] = [];
  troubles(): readonly string[] {
    return this.wrong;
  }
  override async prepare(): Promise<HostCapabilities> {
    this.prepared += 1;
    return { ...(await super.prepare()), findings: this.findings };
  }
}

async function setUp() {
  const clock = new ManualClock();
  const host = new FindingHost(new Map());
  const logged: string[] = [];
  const people = { accounts: [account('alice', 1001)], version: '1', lists: 0, broken: false };
  const watch = new DeviceWatch({
    host,
    accounts: {
      byKey: async () => undefined,
      list: async () => {
        people.lists += 1;
        return people.accounts;
      },
      version: async () => {
        if (people.broken) throw new Error('no such file');
        return people.version;
      },
    },
    machine: {
      bootId: () => 'boot-1',
      facts: async () => ({
        hostname: 'web-1',
        platform: 'linux',
        osRelease: 'Debian GNU/Linux 12',
        kernel: '6.1',
        architecture: 'x64',
        hardwareId: '',
        model: '',
      }),
    },
    agentVersion: '0.1.0',
    clock,
    logger: {
      ...silentLogger,
      warn: (message, fields) => void logged.push(`${message} ${String(fields?.['finding'])}`),
    },
  });
  await watch.prepare();
  let told = 0;
  watch.onChange(() => (told += 1));
  await watch.report();
  watch.start();
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 10_000) {
      clock.advance(durationMs(10_000));
      await settle();
    }
  };
  return { watch, host, people, pass, logged, told: () => told };
}

describe('device watch', () => {
  it('tells and logs what goes wrong with a right soon, once, and that it is over', async () => {
    const { watch, host, pass, logged, told } = await setUp();
    host.wrong = ['What a session runs is not followed.'];
    await pass(10_000);
    assert.deepEqual([told(), (await watch.report()).findings], [1, host.wrong]);
    assert.deepEqual(logged, ['finding What a session runs is not followed.']);
    await pass(5 * MINUTE);
    assert.equal(told(), 1);
    host.wrong = [];
    await pass(10_000);
    watch.stop();
    assert.deepEqual([told(), (await watch.report()).findings, logged.length], [2, [], 1]);
  });

  it('says nothing, and reads no account again, while nothing changes', async () => {
    const { watch, people, pass, told } = await setUp();
    await pass(5 * MINUTE);
    watch.stop();
    assert.equal(told(), 0);
    assert.equal(people.lists, 1);
  });

  it('tells once when an account has come', async () => {
    const { watch, people, pass, told } = await setUp();
    people.accounts = [...people.accounts, account('bob', 1002)];
    people.version = '2';
    await pass(MINUTE);
    watch.stop();
    assert.equal(told(), 1);
    assert.deepEqual(
      (await watch.report()).accounts.map(({ name }) => name),
      ['alice', 'bob'],
    );
  });

  it('does not tell when the files have changed and the accounts have not', async () => {
    const { watch, people, pass, told } = await setUp();
    people.version = '2';
    await pass(MINUTE);
    watch.stop();
    assert.deepEqual([told(), people.lists], [0, 2]);
  });

  it('looks at the whole machine every ten minutes, and tells of a new finding', async () => {
    const { watch, host, pass, told } = await setUp();
    host.findings = ['sudo is not installed'];
    await pass(9 * MINUTE);
    assert.deepEqual([told(), host.prepared], [0, 1]);
    await pass(2 * MINUTE);
    watch.stop();
    assert.deepEqual([told(), host.prepared], [1, 2]);
    assert.deepEqual((await watch.report()).findings, ['sudo is not installed']);
    assert.equal((await watch.report()).facts?.sudoEnforcesEnd, true);
  });

  it('goes on looking after a look that failed', async () => {
    const { watch, people, pass, told } = await setUp();
    people.broken = true;
    await pass(MINUTE);
    people.broken = false;
    people.accounts = [];
    people.version = '2';
    await pass(MINUTE);
    watch.stop();
    assert.equal(told(), 1);
  });
});
