import assert from 'node:assert/strict';
import { build, stop } from 'esbuild';
import { join } from 'node:path';
import { CHECKOUT } from '../support/device.js';
import { describeOn } from '../support/machine-needs.js';
import { WineMachine } from '../support/wine-machine.js';
import { windowsRuntime } from '../support/windows-runtime.js';

interface Found {
  readonly system: string;
  readonly computer: string;
  readonly lookups: readonly ({ name: string; domain: string; use: number; sid: string } | null)[];
  readonly byName: { readonly sid: string; readonly use: number };
  readonly nobody: null;
  readonly local: readonly { name: string; flags: number }[];
  readonly groups: {
    readonly add: number;
    readonly remove: number;
    readonly members: { readonly status: number };
    readonly of: { readonly status: number; readonly names: readonly string[] };
  };
  readonly own: { readonly sid: string; readonly isAdministrator: boolean };
  readonly self: readonly { sid: string; program: string }[];
  readonly child: Readonly<Record<string, unknown>>;
  readonly registry: { readonly product: string; readonly absent: null; readonly services: number };
  readonly boot: string;
  readonly bootAgain: string;
  readonly pipe: {
    readonly callers: readonly { key: string; isAdministrator: boolean }[];
    readonly isOwn: boolean;
    readonly answers: readonly string[];
    readonly isGone: boolean;
  };
  readonly folders: { readonly own: string; readonly foreign: string; readonly refusal: string };
  readonly ran: number;
  readonly clock: readonly boolean[];
}

describeOn([{ program: 'wine' }], 'the calls of Windows on wine', function () {
  this.timeout(600_000);
  let machine: WineMachine;
  let found: Found;
  let trace = '';

  before(async () => {
    machine = await WineMachine.start();
    const folder = machine.path(String.raw`C:\probe`);
    await windowsRuntime(folder);
    await build({
      entryPoints: [join(CHECKOUT, 'test/dist/windows/native-probe.js')],
      outfile: join(folder, 'probe.mjs'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['koffi'],
      banner: { js: "import { createRequire as r } from 'node:module'; const require = r(import.meta.url);" },
      logLevel: 'error',
    });
    await stop();
    // Wine says which of its functions are stubs, with what they were called.
    const probe = [String.raw`C:\probe\node.exe`, String.raw`C:\probe\probe.mjs`];
    const output = await machine.must(probe, { trace: 'fixme+netapi32' });
    const lines = output.split('\n');
    found = JSON.parse(lines.find((line) => line.startsWith('{')) ?? '{}') as Found;
    trace = lines.filter((line) => line.includes('netapi32')).join('\n');
  });
  after(() => machine.dispose());

  it('find well-known accounts by their SIDs, and nobody by a SID that nobody has', () => {
    const [system, administrators, nobody] = found.lookups;
    assert.equal(system?.name, 'SYSTEM');
    assert.deepEqual(administrators, { sid: 'S-1-5-32-544', name: 'Administrators', domain: 'BUILTIN', use: 4 });
    assert.equal(nobody ?? null, null);
    assert.deepEqual([found.byName.sid, found.byName.use], ['S-1-5-32-544', 4]);
    assert.equal(found.nobody, null);
  });

  it('list the accounts of the machine, and name it', () => {
    assert.ok(found.computer.length > 0);
    assert.ok(found.local.some(({ name }) => name.length > 0));
  });

  it('reach netapi32 with the group, the level and one entry; what it does there, wine does not show: it is a stub', () => {
    for (const call of ['NetLocalGroupAddMembers', 'NetLocalGroupDelMembers'])
      assert.match(trace, new RegExp(`${call} \\(\\(null\\) L"Administrators" 0 [0-9A-Fx]+ 1\\) stub`));
    assert.match(trace, /NetLocalGroupGetMembers \(\(null\) L"Administrators" 0 /);
    assert.deepEqual([found.groups.add, found.groups.remove, found.groups.members.status], [0, 0, 0]);
  });

  it('say whose the processes are, and end one that is still the one that was seen', () => {
    assert.deepEqual(found.self, [{ sid: found.own.sid, program: 'node.exe' }]);
    const { program, sid, another, isAlive, status, exitCode } = found.child;
    assert.deepEqual(
      { program, sid, another, isAlive, status, exitCode },
      { program: 'node.exe', sid: found.own.sid, another: 87, isAlive: true, status: 0, exitCode: 1 },
    );
  });

  it('read the registry, and keep in it what only this boot knows', async () => {
    assert.match(found.registry.product, /Windows/);
    assert.equal(found.registry.absent, null);
    assert.ok(found.registry.services > 10);
    assert.match(found.boot, /^boot-/);
    assert.equal(found.bootAgain, found.boot);
    await machine.cutPower();
    const key = String.raw`HKLM\SOFTWARE\Curfew\Boot`;
    assert.equal((await machine.run(['reg', 'query', key])).exitCode, 1);
  });

  // Wine 8 gives a server its own token for that of its client, and lets two servers have one name: neither is shown here.
  it('serve a pipe, name its callers, and say whose it is', () => {
    const { callers, isOwn, answers, isGone } = found.pipe;
    const caller = { key: `sid:${found.own.sid}`, isAdministrator: true };
    assert.deepEqual(callers, [caller, caller]);
    assert.deepEqual([isOwn, isGone], [true, true]);
    assert.deepEqual(answers, ['you said one', 'you said two']);
  });

  it('make a folder that only administrators enter, and refuse one that others can', () => {
    assert.doesNotMatch(found.folders.own, /;;;(WD|BU|AU)\)/);
    assert.equal(found.folders.refusal, 'STORAGE_UNSAFE', found.folders.foreign);
  });

  it('run programs by their whole path, and count time since the boot', () => {
    assert.match(found.system, /^C:\\windows\\system32$/i);
    assert.equal(found.ran, 3);
    assert.deepEqual(found.clock, [true, true]);
  });
});
