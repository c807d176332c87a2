import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { ControlPlane } from '../support/control-plane.js';
import { describeOn } from '../support/machine-needs.js';
import { BuiltPackages } from '../support/packages.js';
import { eventually } from '../support/wait.js';
import { WineMachine } from '../support/wine-machine.js';

interface Device {
  readonly name: string;
  readonly facts: { readonly platform: string; readonly independentRemover: string; readonly grantKinds: string[] };
  readonly connected?: boolean;
}

interface Status {
  readonly account: { readonly name: string; readonly sid: string; readonly uid?: number };
}

interface Session {
  readonly state: string;
  readonly endDetail?: string;
  readonly account: { readonly sid: string };
}

const NEEDS = [{ program: 'wine' }, { program: 'wixl' }, { program: 'msibuild' }] as const;
const PROGRAMS = String.raw`C:\Program Files\Curfew`;
const STATE = String.raw`C:\ProgramData\Curfew`;
/** `sc query` has numbers beside the words of each language. */
const [STOPPED, RUNNING] = [/STATE +: 1 /, /STATE +: 4 /];

describeOn(NEEDS, 'the .msi of the agent on wine', function () {
  this.timeout(600_000);
  const packages = new BuiltPackages();
  let plane: ControlPlane;
  let machine: WineMachine;
  let file = '';

  before(async () => {
    [plane, machine, file] = await Promise.all([
      ControlPlane.start(),
      WineMachine.start(),
      packages.make({ format: 'msi', program: 'agent', version: '0.1.0' }),
    ]);
  });
  after(async () => {
    await machine.dispose();
    await plane.dispose();
    packages.dispose();
  });

  const msiexec = (what: '/i' | '/x', ...properties: string[]): Promise<string> =>
    machine.must(['msiexec', what, `Z:${file.replaceAll('/', '\\')}`, '/qn', ...properties]);
  const agent = (...args: string[]): Promise<string> => machine.must([`${PROGRAMS}\\curfew-agent.cmd`, ...args]);
  const service = async (): Promise<string> => (await machine.run(['sc.exe', 'query', 'curfew-agent'])).output;
  const untilService = (state: RegExp, what: string): Promise<string> =>
    eventually(
      async () => {
        const said = await service();
        return state.test(said) && said;
      },
      { withinMs: 60_000, everyMs: 200, what },
    );
  const linked = (): Promise<unknown> =>
    eventually(
      async () => {
        const status = JSON.parse(await agent('status', '-o', 'json')) as { serverLinked: boolean };
        return status.serverLinked;
      },
      { withinMs: 120_000, everyMs: 200, what: 'a link' },
    );

  it('is installed silently: the service runs, is enrolled, and keeps its link', async () => {
    const { secret } = await plane.json<{ secret: string }>('devices', 'join-token', 'create');
    await msiexec('/i', `SERVER=${plane.address}`, `TOKEN=${secret}`);
    await untilService(RUNNING, 'a service that runs');
    await linked();
    const [device] = await plane.json<Device[]>('devices', 'list');
    assert.deepEqual(
      [device?.facts.platform, device?.facts.independentRemover, device?.facts.grantKinds],
      ['PLATFORM_WINDOWS', 'scheduled-task', ['GRANT_KIND_GROUP_MEMBERSHIP']],
    );
  });

  it('answers a person over its pipe, as the account that Windows says it is', async () => {
    const output = await machine.must([`${PROGRAMS}\\curfew.cmd`, 'status', '-o', 'json']);
    const status = JSON.parse(output) as Status;
    assert.match(status.account.name, /^\S+$/);
    assert.match(status.account.sid, /^S-1-5-21-/);
    assert.equal(status.account.uid, undefined);
  });

  it('brings a session to the groups of Windows, and is refused for what they say', async () => {
    const status = JSON.parse(await machine.must([`${PROGRAMS}\\curfew.cmd`, 'status', '-o', 'json'])) as Status;
    await plane.json('users', 'create', status.account.name, '--role', 'user');
    await machine.must([`${PROGRAMS}\\curfew.cmd`, 'request', '--for', '10m', '--group', '--reason', 'mend it']);
    const [request] = await plane.json<{ id: string; account: { sid: string } }[]>('requests', 'list');
    assert.ok(request);
    assert.equal(request.account.sid, status.account.sid);
    await plane.json('requests', 'approve', request.id);
    const started = await machine.run([`${PROGRAMS}\\curfew.cmd`, 'start']);
    // NetUserGetLocalGroups of wine has whoever asks in the administrators.
    assert.equal(started.exitCode, 1);
    assert.match(started.output, /SESSION_REFUSED/);
    const [session] = await plane.json<Session[]>('sessions', 'list', '--all');
    assert.deepEqual([session?.state, session?.account.sid], ['SESSION_STATE_ENDED', status.account.sid]);
    assert.match(
      session?.endDetail ?? '',
      /^ACCOUNT_INELIGIBLE: .* is a member of Administrators without this session$/,
    );
  });

  it('stops when the service manager says so, and links again when it starts', async () => {
    await machine.must(['net', 'stop', 'curfew-agent']);
    // 'net' has it stopped, and does not wait.
    assert.match(await untilService(STOPPED, 'a service that has stopped'), /WIN32_EXIT_CODE +: 0 /);
    await assert.rejects(agent('status'), /AGENT_UNREACHABLE/);
    await machine.must(['net', 'start', 'curfew-agent']);
    await linked();
  });

  it('is there again after a power cut, with its enrolment', async () => {
    await machine.cutPower();
    await untilService(RUNNING, 'a service that runs again');
    await linked();
  });

  it('is taken away with everything but the enrolment, and installed again without a token', async () => {
    await msiexec('/x');
    assert.equal(existsSync(machine.path(PROGRAMS)), false);
    assert.doesNotMatch(await service(), /STATE/);
    assert.ok(readdirSync(machine.path(STATE)).includes('identity.json'));
    await msiexec('/i');
    await linked();
  });
});
