import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AdminRules, adminSubjects } from './admin-rules.js';

/** Rules as `cvtsudoers -f json` of sudo 1.9.13p3 gives them. */
const rule = (users: object[], command: object, runasusers?: object[]): object => ({
  User_List: users,
  Host_List: [{ hostname: 'ALL' }],
  Cmnd_Specs: [{ ...(runasusers && { runasusers }), Options: [{ setenv: true }], Commands: [command] }],
});
const ALL = { command: 'ALL' };
const ANY = [{ username: 'ALL' }];
const policy = (...rules: object[]): string =>
  JSON.stringify({
    Defaults: [{ Options: [{ targetpw: true }] }],
    User_Aliases: { ADM: [{ username: 'carol' }, { username: 'dave', negated: true }, { usergroup: 'ops' }] },
    User_Specs: rules,
  });

describe("the administrators by the machine's own rules", () => {
  for (const [name, text, users, groups] of [
    ['a group with everything', policy(rule([{ usergroup: 'wheel' }], ALL, ANY)), [], ['wheel']],
    ['an account with everything as root', policy(rule([{ username: 'bob' }], ALL)), ['bob'], []],
    ['those of an alias, but who is taken out', policy(rule([{ useralias: 'ADM' }], ALL, ANY)), ['carol'], ['ops']],
    ['nobody with one command', policy(rule([{ usergroup: 'ltd' }], { command: '/bin/ls' })), [], []],
    ['nobody with all but root', policy(rule([{ username: 'bob' }], ALL, [{ username: 'postgres' }])), [], []],
    ['nobody with nothing', policy(rule([{ username: 'gina' }], { command: 'ALL', negated: true }, ANY)), [], []],
    ["not everybody, as SUSE's rule with targetpw has it", policy(rule([{ username: 'ALL' }], ALL, ANY)), [], []],
    ["nobody that Curfew's own rules name", policy(rule([{ userid: 1000 }], ALL, ANY)), [], []],
    ['nobody without rules', JSON.stringify({}), [], []],
    ['nobody in what is no JSON', '/etc/sudoers:1:8: syntax error\n', [], []],
  ] as const)
    it(`are ${name}`, () => {
      const subjects = adminSubjects(text);
      assert.deepEqual([[...subjects.users], [...subjects.groups]], [users, groups]);
    });

  it('are asked for again only when a rule has changed that is not of Curfew', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'curfew-rules-'));
    try {
      const [main, own, others] = ['sudoers', 'own', 'sudoers.d'].map((name) => path.join(folder, name)) as [
        string,
        string,
        string,
      ];
      for (const made of [own, others]) mkdirSync(made);
      writeFileSync(main, `@includedir ${others}\n@includedir ${own}\n`);
      let asked = 0;
      const runner = {
        run: async () => ({
          exitCode: 0,
          signal: null,
          stdout: policy(rule([{ usergroup: `g${asked++}` }], ALL)),
          stderr: '',
        }),
      };
      const rules = new AdminRules({ runner, tools: (name) => `/usr/bin/${name}`, ownFolder: own, mains: [main] });
      assert.deepEqual([...(await rules.subjects()).groups], ['g0']);
      writeFileSync(path.join(own, '1001-ses'), '');
      assert.deepEqual([...(await rules.subjects()).groups], ['g0']);
      writeFileSync(path.join(others, 'more'), '');
      assert.deepEqual([...(await rules.subjects()).groups], ['g1']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('are nobody where this sudo cannot tell', async () => {
    const runner = { run: async () => assert.fail('there is nothing to run') };
    const rules = new AdminRules({ runner, tools: () => undefined, ownFolder: '/nowhere' });
    assert.equal((await rules.subjects()).groups.size, 0);
  });
});
