import { bootMs, instantMs, type GrantOptions } from '@curfew/shared';
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runInNewContext } from 'node:vm';
import type { GrantOrder } from '../../ports/privilege-host.js';
import { DesktopPrompts } from './desktop-prompts.js';

const END = 1_800_000_000_000;

describe("the answers to a desktop's prompts", () => {
  let folder: string;
  let prompts: DesktopPrompts;
  const made = (change: object = {}): DesktopPrompts =>
    new DesktopPrompts({
      runtimeDir: path.join(folder, 'run'),
      mark: 'curfew',
      labels: { restore: async () => undefined },
      rules: path.join(folder, 'rules.d'),
      daemons: [folder],
      ...change,
    });
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-prompts-'));
    mkdirSync(path.join(folder, 'rules.d'));
    prompts = made();
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const order = (options: Partial<GrantOptions> = {}, change: Partial<GrantOrder> = {}): GrantOrder => ({
    sessionId: `ses-${'0'.repeat(20)}`,
    account: { name: 'alice', uid: 1001, sid: '', fingerprint: '' },
    options: { kind: 'sudo_rule', passwordRequired: false, commands: [], runAs: '', group: '', ...options },
    deadline: bootMs(0),
    wallEnd: instantMs(END),
    keepProcesses: false,
    desktop: true,
    ...change,
  });
  const named = (name: string, sessionId = `ses-${'0'.repeat(20)}`): GrantOrder =>
    order({}, { sessionId, account: { name, uid: 1001, sid: '', fingerprint: '' } });

  /** What the rule that was put in place says of a person, as polkitd runs it. */
  function said(user: string, now = END - 1): string {
    const rules: ((action: object, subject: object) => string)[] = [];
    const polkit = {
      addRule: (rule: (typeof rules)[number]) => rules.push(rule),
      spawn: ([, file = '']: string[]) => readFileSync(file, 'utf8'),
      Result: { YES: 'yes', AUTH_SELF: 'auth_self', NOT_HANDLED: 'not handled' },
    };
    runInNewContext(readFileSync(prompts.rule, 'utf8'), { polkit, Date: { now: () => now } });
    return rules[0]?.({}, { user }) ?? '';
  }

  it('are of one person until the end, and of nobody else', async () => {
    await prompts.give(order());
    assert.deepEqual(
      [said('alice'), said('alice', END), said('bob'), said('')],
      ['yes', 'not handled', 'not handled', 'not handled'],
    );
    assert.equal(await prompts.isLive(order()), true);
    assert.equal(statSync(prompts.file('alice')).mode & 0o7777, 0o444);
  });

  it('ask for the own password of the person where sudo asks for it', async () => {
    await prompts.give(order({ passwordRequired: true }));
    assert.equal(said('alice'), 'auth_self');
  });

  for (const name of ['é😀', 'a b', '..', "x'; rm -rf /; '", 'DOM\\user', 'n'.repeat(120)])
    it(`are found under the name ${name.slice(0, 20)}, which is in no file's name`, async () => {
      await prompts.give(named(name));
      assert.equal(said(name), 'yes');
      assert.match(path.basename(prompts.file(name)), /^[0-9a-f]+$/);
    });

  it('are not given by anything but a whole file of ours', async () => {
    await prompts.give(order());
    for (const text of ['', 'YES\n', `${END}\n`, `${END} NO 1001-ses\n`, 'x YES 1001-ses\n', '{}']) {
      rmSync(prompts.file('alice'));
      writeFileSync(prompts.file('alice'), text);
      assert.equal(said('alice'), 'not handled', text);
      assert.equal(await prompts.isLive(order()), false, text);
    }
  });

  it('are taken away with their own right and no other', async () => {
    const [first, second] = [named('alice'), named('bob', `ses-${'1'.repeat(20)}`)];
    await prompts.give(first);
    await prompts.give(second);
    await prompts.remove({ sessionId: first.sessionId, uid: 1001, kind: 'sudo_rule' });
    assert.deepEqual([said('alice'), said('bob')], ['not handled', 'yes']);
    await prompts.uninstall();
    assert.deepEqual(readdirSync(path.join(folder, 'rules.d')), []);
  });

  for (const [name, given, change] of [
    ['one command', { commands: [['/usr/bin/id']] }, {}],
    ['another account', { runAs: 'postgres' }, {}],
    ['a group', { kind: 'group_membership' }, {}],
    ['an order that does not say so', {}, { desktop: undefined }],
    ['a name that no file can have', {}, { account: { name: 'n'.repeat(121), uid: 1001, sid: '', fingerprint: '' } }],
  ] as const)
    it(`are not for ${name}`, () => {
      assert.equal(prompts.isFor(order(given as Partial<GrantOptions>, change)), false);
    });

  it('are for nobody where no daemon reads such rules, and the right is whole without them', async () => {
    const none = made({ daemons: [path.join(folder, 'nowhere')] });
    assert.equal(none.isFor(order()), false);
    assert.equal(await none.isLive(order()), true);
  });

  it('are not given where the rule cannot be put in place, which is told', async () => {
    prompts = made({ rules: path.join(folder, 'nowhere') });
    await prompts.give(order());
    assert.match(prompts.problem, /DEVICE_STORAGE_FAILED|could not write/);
    assert.equal(await prompts.isLive(order()), true);
    assert.throws(() => statSync(prompts.file('alice')));
  });
});
