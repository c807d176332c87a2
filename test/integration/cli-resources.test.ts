import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CommandStage } from '../support/command-stage.js';
import { personOf } from '../support/connector-parts.js';
import { runCli, type CliResult } from '../support/run-cli.js';
import { scratchFolder } from '../support/scratch.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

/** A session, a connector or a resource, as the tools print it. */
type Json = Readonly<Record<string, unknown>>;

describe('curfewctl resources', function () {
  this.timeout(240_000);
  let stage: CommandStage;
  let folder: string;
  let server: TestServer;
  let env: Record<string, string>;

  const ctl = (...args: string[]): Promise<CliResult> => runCli('curfewctl', args, env);
  const json = async (...args: string[]): Promise<Json[]> => {
    const { code, out, err } = await ctl(...args, '-o', 'json');
    assert.equal(code, 0, err);
    return JSON.parse(out) as Json[];
  };
  const alice = personOf('alice');
  const apply = (text: string, ...args: string[]): Promise<CliResult> => {
    const file = path.join(folder, 'resources.yaml');
    writeFileSync(file, text);
    return ctl('resources', 'apply', '-f', file, ...args);
  };
  const fileText = (description: string): string => `connectors:
  - name: folders
    kind: command
    settings:
      program: ${path.join(stage.programs, 'members.mjs')}
      variables: CONNECTOR_HOME=${stage.home}
resources:
  - name: ops
    description: ${description}
    connector: folders
    target: {resource: ops}
`;

  before(async () => {
    stage = new CommandStage();
    folder = scratchFolder('cli-resources');
    server = await startTestServer({
      CURFEW_DATA_DIR: path.join(folder, 'data'),
      CURFEW_TIMED_ACCESS_COMMAND_FOLDER: stage.programs,
    });
    env = { HOME: folder, CURFEW_SERVER: server.address, CURFEW_TOKEN: server.ownerToken, CURFEW_CA: server.caFile };
    for (const name of ['alice', 'mallory'])
      assert.equal((await ctl('users', 'create', name, '--role', 'user')).code, 0);
  });
  after(async () => {
    await server.close();
    await stage.close();
    rmSync(folder, { recursive: true });
  });

  it('says what kinds of connectors need', async () => {
    const { out } = await ctl('resources', 'kinds');
    assert.match(out, /^ldap +settings +url +text, required/m);
    assert.match(out, /^ldap +secrets +password +secret/m);
    assert.match(out, /^command +target +resource +text, required/m);
  });

  it('shows what a file would change and changes nothing, then does it, and once only', async () => {
    const planned = await apply(fileText('Production'), '--dry-run');
    assert.equal(planned.code, 0, planned.err);
    assert.match(planned.out, /create +connector +folders\ncreate +resource +ops/);
    assert.match(planned.err, /would apply: 2 changes/);
    assert.deepEqual(await json('resources', 'list'), []);

    const done = await apply(fileText('Production'));
    assert.equal(done.code, 0, done.err);
    const [ops] = await json('resources', 'list');
    assert.deepEqual([ops?.['name'], ops?.['connector'], ops?.['target']], ['ops', 'folders', { resource: 'ops' }]);
    const again = await apply(fileText('Production'));
    assert.match(again.out, /unchanged +connector +folders\nunchanged +resource +ops/);
    const changed = await apply(fileText('All of production'));
    assert.match(changed.out, /unchanged +connector +folders\nupdate +resource +ops/);
    assert.match((await ctl('resources', 'show', 'OPS')).out, /description: +All of production/);
  });

  for (const [what, text, problem] of [
    ['no YAML', 'connectors: [', /--file/],
    ['an unknown key', 'resource: []', /the file: .*resource/],
    [
      'a secret itself',
      'connectors: [{name: x, kind: ldap, secrets: {password: hunter2}}]',
      /secrets\.password: .*env/,
    ],
    ['a name twice', 'resources: [{name: a, connector: x}, {name: A, connector: x}]', /'a' is there twice/],
    ['a secret that is nowhere', 'connectors: [{name: x, kind: ldap, secrets: {password: {env: NO_SUCH}}}]', /NO_SUCH/],
    ['a field that the kind does not have', 'connectors: [{name: x, kind: ldap, settings: {colour: red}}]', /settings/],
  ] as const)
    it(`refuses a file with ${what}, and changes nothing`, async () => {
      // When it was last compared changes by itself.
      const all = async (): Promise<Json[]> =>
        [...(await json('resources', 'connectors')), ...(await json('resources', 'list'))].map((one) => ({
          ...one,
          comparedTime: '',
        }));
      const before = await all();
      const refused = await apply(text);
      // What the file itself has wrong is wrong usage; what the server refuses is a refusal.
      assert.equal(refused.code, what.startsWith('a field') ? 1 : 2, refused.out);
      assert.match(refused.err, problem);
      assert.ok(!refused.err.includes('hunter2'));
      assert.deepEqual(await all(), before);
    });

  it('tries a resource, with and without somebody, and gives nothing', async () => {
    const known = await ctl('resources', 'try', 'ops', '--user', 'alice');
    assert.equal(known.code, 0, known.err);
    assert.match(known.out, /it is: +folder 'ops' with 0 members/);
    assert.match(known.out, /alice: +is alice, and does not have it/);
    assert.match((await ctl('resources', 'try', 'ops', '--user', 'mallory')).out, /mallory: +is not known there/);
    const restore = await stage.cutOff();
    const away = await ctl('resources', 'try', 'ops');
    await restore();
    assert.equal(away.code, 1);
    assert.match(away.out, /problem:/);
    assert.equal(await stage.truth(alice), false);
  });

  it('gives a resource, shows who has it, and takes it away with all of its sessions', async () => {
    const given = await ctl(
      'sessions',
      'grant',
      '--user',
      'alice',
      '--resource',
      'ops',
      '--for',
      '10m',
      '--reason',
      'x',
      '--wait',
    );
    assert.equal(given.code, 0, given.err);
    assert.equal(await stage.truth(alice), true);
    const listed = await ctl('sessions', 'list', '--tab', 'timed-access', '--resource', 'ops');
    assert.match(listed.out, /ID +USER +RESOURCE +ACCOUNT +STATE/);
    assert.match(listed.out, /alice +ops +alice +active +\d+m/);
    assert.deepEqual(await json('sessions', 'list', '--tab', 'device-admin'), []);
    const used = await ctl('resources', 'delete', 'ops');
    assert.deepEqual([used.code, used.err.includes('RESOURCE_IN_USE')], [1, true], used.err);

    const revoked = await ctl('sessions', 'revoke', '--resource', 'ops', '--reason', 'enough', '--wait');
    assert.equal(revoked.code, 0, revoked.err);
    assert.match(revoked.out, /alice +ops +effective/);
    assert.equal(await stage.truth(alice), false);
  });

  it('never says that a resource has confirmed what it has not', async () => {
    const given = await ctl(
      'sessions',
      'grant',
      '--user',
      'alice',
      '--resource',
      'ops',
      '--for',
      '10m',
      '--reason',
      'x',
      '--wait',
    );
    assert.equal(given.code, 0, given.err);
    const restore = await stage.cutOff();
    const [session] = await json('sessions', 'list', '--resource', 'ops');
    const taken = await ctl('sessions', 'revoke', '--resource', 'ops', '--reason', 'enough');
    assert.equal(taken.code, 0, taken.err);
    const isTold = /ending · not confirmed by the resource since \S+, next try/;
    await eventually(async () => isTold.test((await ctl('sessions', 'list', '--resource', 'ops')).out), {
      withinMs: 60_000,
      what: 'a resource that was asked and has not confirmed',
    });
    const again = ['sessions', 'revoke', String(session?.['id']), '--reason', 'enough', '--wait', '--timeout', '1s'];
    const revoked = await ctl(...again);
    assert.equal(revoked.code, 3, revoked.err);
    assert.match(revoked.err, /1 pending \(the resource does not answer; tried again until it has confirmed\)/);
    assert.doesNotMatch(revoked.out + revoked.err, /effective\b.*1 |1970|DEVICE LINK.*up/);
    await restore();
    assert.equal(await stage.truth(alice), true);
    await eventually(async () => (await json('sessions', 'list', '--resource', 'ops')).length === 0, {
      withinMs: 60_000,
      everyMs: 500,
      what: 'a removal that is confirmed',
    });
    assert.equal(await stage.truth(alice), false);
  });

  it('shows what somebody else has changed, and leaves it', async () => {
    assert.equal((await ctl('resources', 'compare', 'ops')).code, 0);
    await stage.byHand(personOf('bob'), true);
    const compared = await ctl('resources', 'compare', 'ops');
    assert.equal(compared.code, 0, compared.err);
    assert.match(compared.err, /1 difference/);
    assert.match(compared.out, /differs: +bob was added by hand/);
    assert.equal(await stage.truth(personOf('bob')), true);
  });

  it('lists what differs, and settles it with a reason', async () => {
    const listed = await ctl('resources', 'drift', 'list');
    assert.match(listed.out, /^dft-\w+ +ops +bob +was added by hand/m);
    const [found] = await json('resources', 'drift', 'list', 'OPS');
    const id = String((found?.['difference'] as Json)['id']);
    const nowhere = await ctl('resources', 'drift', 'list', 'nothing');
    assert.deepEqual([nowhere.code, nowhere.err.includes('RESOURCE_NOT_FOUND')], [1, true], nowhere.err);
    const silent = await ctl('resources', 'drift', 'accept', id);
    assert.deepEqual([silent.code, silent.err.includes('--reason')], [2, true], silent.err);
    const unfit = await ctl('resources', 'drift', 'take-away', id, '--reason', 'x');
    assert.deepEqual([unfit.code, unfit.err.includes('DRIFT_ACTION_UNFIT')], [1, true], unfit.err);
    assert.equal((await json('resources', 'drift', 'list')).length, 1);
    const accepted = await ctl('resources', 'drift', 'accept', id, '--reason', 'he stays');
    assert.equal(accepted.code, 0, accepted.err);
    assert.deepEqual(await json('resources', 'drift', 'list'), []);
    assert.match((await ctl('resources', 'compare', 'ops')).err, /agree/);
    assert.equal(await stage.truth(personOf('bob')), true);
  });

  it('undoes what somebody else has changed, where Curfew gave it', async () => {
    const grant = [
      'sessions',
      'grant',
      '--user',
      'alice',
      '--resource',
      'ops',
      '--for',
      '10m',
      '--reason',
      'x',
      '--wait',
    ];
    assert.equal((await ctl(...grant)).code, 0);
    await stage.byHand(alice, false);
    assert.match((await ctl('resources', 'compare', 'ops')).out, /differs: +alice was removed by hand/);
    const idOf = async (): Promise<string> =>
      String(((await json('resources', 'drift', 'list'))[0]?.['difference'] as Json | undefined)?.['id']);
    const given = await ctl('resources', 'drift', 'give-again', await idOf(), '--reason', 'a mistake');
    assert.equal(given.code, 0, given.err);
    assert.match(given.out, /reason: +a mistake/);
    await eventually(() => stage.truth(alice), { withinMs: 30_000, everyMs: 200, what: 'alice to have it again' });
    assert.equal((await ctl('sessions', 'revoke', '--resource', 'ops', '--reason', 'enough', '--wait')).code, 0);
    await stage.byHand(alice, true);
    assert.match((await ctl('resources', 'compare', 'ops')).out, /differs: +alice is back after the end/);
    const taken = await ctl('resources', 'drift', 'take-away', await idOf(), '--reason', 'not again');
    assert.equal(taken.code, 0, taken.err);
    assert.match(taken.err, /the resource has confirmed it/);
    assert.equal(await stage.truth(alice), false);
  });

  it('deletes a resource and its connector, in this order only', async () => {
    const used = await ctl('resources', 'delete-connector', 'folders');
    assert.deepEqual([used.code, used.err.includes('CONNECTOR_IN_USE')], [1, true], used.err);
    assert.equal((await ctl('resources', 'delete', 'ops')).code, 0);
    assert.equal((await ctl('resources', 'delete-connector', 'folders')).code, 0);
    assert.deepEqual([await json('resources', 'list'), await json('resources', 'connectors')], [[], []]);
  });

  it('wants to know where a session is given, and one place only', async () => {
    const grant = ['sessions', 'grant', '--user', 'alice', '--for', '10m', '--reason', 'x'];
    const nowhere = await ctl(...grant);
    assert.deepEqual([nowhere.code, nowhere.err.includes('--device, --resource')], [2, true], nowhere.err);
    const both = await ctl(...grant, '--device', 'web-1', '--resource', 'ops');
    assert.deepEqual([both.code, both.err.includes('cannot be used with')], [2, true], both.err);
  });
});
