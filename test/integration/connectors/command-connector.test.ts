import { ConnectorError, type Connector } from '@curfew/server/parts';
import { durationMs, ManualClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BROKEN_CONNECTORS } from '../../support/broken-connectors.js';
import { CommandStage, writeProgram } from '../../support/command-stage.js';
import { assertIsCaught } from '../../support/caught-faults.js';
import { brokenPromises, CONNECTOR_CONTRACT, itKeepsTheConnectorContract } from '../../support/connector-contract.js';
import { connectorParts, kindOf, personOf } from '../../support/connector-parts.js';
import { HOSTILE_NAMES } from '../../support/hostile-names.js';
import { eventually } from '../../support/wait.js';

const never = (): AbortSignal => new AbortController().signal;
const isError =
  (kind: ConnectorError['kind'], message: RegExp) =>
  (error: unknown): boolean =>
    error instanceof ConnectorError && error.kind === kind && message.test(error.message);

describe('the command connector', function () {
  this.timeout(180_000);

  describe('with the example program', () => {
    itKeepsTheConnectorContract(async () => new CommandStage());

    for (const [name, breakIt] of Object.entries(BROKEN_CONNECTORS))
      it(`does not pass the contract with the fault ${name}`, async () => {
        const broken = await brokenPromises(
          async () => {
            const stage = new CommandStage();
            stage.connector = breakIt(stage.connector, stage.people);
            return stage;
          },
          CONNECTOR_CONTRACT.filter(({ title }) => /^(says what the resource is|finds|gives|takes it)/.test(title)),
        );
        assertIsCaught(name, broken);
      });
  });

  describe('on its own', () => {
    let stage: CommandStage;
    beforeEach(() => {
      stage = new CommandStage();
    });
    afterEach(() => stage.close());

    const alice = { id: 'alice', label: 'alice' };
    const has = (connector: Connector, signal = never()): Promise<boolean> => connector.has(alice, signal);
    const markOf = (name: string): string => path.join(stage.home, name);
    /** The process that a program has written down, once it has. */
    const writtenPid = (name: string): Promise<number> =>
      eventually(() => existsSync(markOf(name)) && Number(readFileSync(markOf(name), 'utf8')), { withinMs: 20_000 });

    it('is offered only where the configuration names a folder, and runs nothing elsewhere', async () => {
      const kind = kindOf('command');
      assert.match(kind.unavailable?.(connectorParts()) ?? '', /timed_access\.command_folder/);
      assert.equal(kind.unavailable?.(connectorParts({ commandFolder: stage.programs })), undefined);
      const program = writeProgram(path.join(stage.programs, 'mark.mjs'), marking(markOf('ran')));
      for (const parts of [{}, { commandFolder: '' }])
        await assert.rejects(has(stage.open({ program }, {}, parts)), isError('refused', /allows no programs/));
      assert.equal(existsSync(markOf('ran')), false);
    });

    describe('does not run', () => {
      const refusals: readonly { name: string; make: () => string; message: RegExp }[] = [
        { name: 'a program of the system', make: () => '/bin/sh', message: /is not in the folder/ },
        {
          name: 'what a link in the folder leads to',
          make: () => {
            const outside = writeProgram(path.join(stage.folder, 'outside.mjs'), marking(markOf('ran')));
            symlinkSync(outside, path.join(stage.programs, 'link'));
            return path.join(stage.programs, 'link');
          },
          message: /is not in the folder/,
        },
        {
          name: 'what is beside the folder under a name that begins as its own',
          make: () => {
            mkdirSync(`${stage.programs}-more`);
            return writeProgram(path.join(`${stage.programs}-more`, 'x.mjs'), marking(markOf('ran')));
          },
          message: /is not in the folder/,
        },
        {
          name: 'a program that others may change',
          make: () => {
            const file = writeProgram(path.join(stage.programs, 'x.mjs'), marking(markOf('ran')));
            chmodSync(file, 0o757);
            return file;
          },
          message: /can be changed by others/,
        },
        {
          name: 'a program in a folder in which others may change what there is',
          make: () => {
            mkdirSync(path.join(stage.programs, 'open'));
            const file = writeProgram(path.join(stage.programs, 'open', 'x.mjs'), marking(markOf('ran')));
            chmodSync(path.join(stage.programs, 'open'), 0o777);
            return file;
          },
          message: /open can be changed by others/,
        },
        {
          name: 'a file that is no program',
          make: () => {
            writeFileSync(path.join(stage.programs, 'text'), 'text', { mode: 0o644 });
            return path.join(stage.programs, 'text');
          },
          message: /is no program/,
        },
        { name: 'the folder itself', make: () => stage.programs, message: /is not in the folder/ },
      ];
      for (const { name, make, message } of refusals)
        it(name, async () => {
          await assert.rejects(has(stage.open({ program: make() })), isError('refused', message));
          assert.equal(existsSync(markOf('ran')), false);
        });
    });

    it('says that a program which is not there is out of reach', async () => {
      const missing = stage.open({ program: path.join(stage.programs, 'missing') });
      await assert.rejects(has(missing), isError('unreachable', /is not there/));
    });

    it('gives a program its arguments as they are, no environment of the server, and nothing of what people chose', async () => {
      const seen = `console.log(JSON.stringify({ has: true, ...report() }));
        import { readFileSync, writeFileSync } from 'node:fs';
        function report() {
          const { env, argv } = process;
          const input = readFileSync(0, 'utf8');
          writeFileSync(${JSON.stringify(markOf('seen'))}, JSON.stringify({ env, argv: argv.slice(2), cwd: process.cwd(), input }));
          return {};
        }`;
      const program = writeProgram(path.join(stage.programs, 'seen.mjs'), seen);
      const args = ['--mode', '$(touch x) `id` "quoted"', '; rm -rf .'];
      const variables = 'CONNECTOR_REGION=north = $HOME';
      const secret = 'CONNECTOR_TOKEN=hidden-token-value';
      const connector = stage.open({ program, arguments: args.join('\n'), variables }, { secret_variables: secret });
      const hostile = { id: '--help; $(touch x)\n"', label: 'x\u202Ey' };
      assert.equal(await connector.has(hostile, never()), true);
      const report = JSON.parse(readFileSync(markOf('seen'), 'utf8')) as Record<string, unknown>;
      assert.deepEqual(report['argv'], args);
      assert.equal(report['cwd'], '/');
      assert.deepEqual(report['env'], {
        CONNECTOR_REGION: 'north = $HOME',
        CONNECTOR_TOKEN: 'hidden-token-value',
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        LANG: 'C.UTF-8',
      });
      const input = report['input'] as string;
      assert.equal(input.indexOf('\n'), input.length - 1, 'more than one line');
      assert.deepEqual(JSON.parse(input), { operation: 'has', resource: 'ops', subject: hostile });
    });

    it('takes hostile names for names: nobody is found, and nothing else happens', async () => {
      const before = tree(stage.folder);
      for (const name of HOSTILE_NAMES) {
        assert.equal(await stage.connector.findSubject(personOf(name), never()), undefined, name);
        const subject = { id: name, label: name };
        await assert.rejects(
          stage.connector.add(subject, connectorParts().clock.now(), never()),
          isError('refused', /nobody of that name/),
        );
        await stage.connector.remove(subject, never());
      }
      assert.deepEqual(tree(stage.folder), before);
    });

    for (const { name, source, kind, message } of [
      {
        name: 'exit code 75',
        source: 'console.error("busy"); process.exit(75)',
        kind: 'unreachable',
        message: /exit code 75: busy$/,
      },
      {
        name: 'another exit code',
        source: 'console.error("no\\u001b[2J"); process.exit(3)',
        kind: 'refused',
        message: /exit code 3: no\\u\{1b\}\[2J$/,
      },
      {
        name: 'a signal',
        source: 'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)',
        kind: 'unreachable',
        message: /was ended by SIGTERM$/,
      },
      { name: 'no answer', source: '', kind: 'refused', message: /is no JSON$/ },
      { name: 'half an answer', source: 'process.stdout.write(`{"has":tr`)', kind: 'refused', message: /is no JSON$/ },
      {
        name: 'the answer to something else',
        source: 'console.log(`{"subject":null}`)',
        kind: 'refused',
        message: /not as agreed: has: /,
      },
      {
        name: 'more output than is read',
        source: 'setInterval(() => process.stdout.write("x".repeat(1e6)), 1)',
        kind: 'refused',
        message: /more than 8388608 bytes$/,
      },
    ] as const)
      it(`says what is the matter with ${name}`, async () => {
        await assert.rejects(has(stage.openProgram(source)), isError(kind, message));
      });

    for (const { operation, lie, message } of [
      { operation: 'add', lie: '{"has":false}', message: /^what 'add' was to do cannot be read back yet$/ },
      { operation: 'remove', lie: '{"has":true}', message: /^what 'remove' was to do cannot be read back yet$/ },
    ] as const)
      it(`believes no program that says it has done '${operation}' and has not`, async () => {
        const liar = stage.openProgram(`console.log('${lie}')`);
        const call =
          operation === 'add' ? liar.add(alice, connectorParts().clock.now(), never()) : liar.remove(alice, never());
        await assert.rejects(call, isError('pending', message));
      });

    it('shows no secret that a program repeats', async () => {
      const source = 'console.error(`bad: ${process.env.CONNECTOR_TOKEN}`); process.exit(1)';
      const connector = stage.openProgram(source, { secret_variables: 'CONNECTOR_TOKEN=hunter2-hunter2' });
      await assert.rejects(has(connector), isError('refused', /: bad: \[masked\]$/));
    });

    it('kills a program and its children when it is told to stop', async () => {
      const abort = new AbortController();
      const call = has(stage.openProgram(family(markOf('parent'), markOf('child'))), abort.signal);
      const ended = assert.rejects(call, isError('unreachable', /stopped/));
      const pids = [await writtenPid('parent'), await writtenPid('child')];
      assert.ok(pids.every(isAlive));
      abort.abort();
      await ended;
      await eventually(() => !pids.some(isAlive), { withinMs: 20_000, what: 'the processes are gone' });
    });

    it('kills a program and its children at the time limit', async () => {
      const clock = new ManualClock();
      const program = writeProgram(path.join(stage.programs, 'x.mjs'), family(markOf('parent'), markOf('child')));
      const call = has(stage.open({ program }, {}, { clock, commandFolder: stage.programs }));
      const ended = assert.rejects(call, isError('unreachable', /^no answer within 20 s$/));
      const pids = [await writtenPid('parent'), await writtenPid('child')];
      clock.advance(durationMs(19_999));
      assert.ok(pids.every(isAlive));
      clock.advance(durationMs(1));
      await ended;
      await eventually(() => !pids.some(isAlive), { withinMs: 20_000, what: 'the processes are gone' });
    });

    it('leaves nothing running that a program started and did not wait for', async () => {
      const source = `${family(markOf('parent'), markOf('child'), 'ignore')}
        const wait = setInterval(() => { if (existsSync(${JSON.stringify(markOf('child'))})) { clearInterval(wait); console.log('{"has":true}'); process.exit(0); } }, 20);
        import { existsSync } from 'node:fs';`;
      assert.equal(await has(stage.openProgram(source)), true);
      const pid = await writtenPid('child');
      await eventually(() => !isAlive(pid), { withinMs: 20_000, what: 'the child is gone' });
    });
  });

  describe('its settings', () => {
    const problemOf = (name: string, value: string): string | undefined =>
      kindOf('command')
        .settings.find((field) => field.name === name)
        ?.problem?.(value);

    it('take an absolute path and nothing else', () => {
      assert.equal(problemOf('program', '/opt/curfew/programs/members'), undefined);
      for (const value of ['members', './members', '/opt/../bin/sh', '/opt//sh', '/opt/', '/opt/x\0'])
        assert.match(problemOf('program', value) ?? '', /absolute path/, value);
    });

    it('take no variable that makes other programs do something', () => {
      for (const name of ['variables', 'secret_variables']) {
        assert.equal(problemOf(name, 'CONNECTOR_A=1\n\nCONNECTOR_B2='), undefined);
        for (const line of [
          'LD_PRELOAD=/tmp/x.so',
          'NODE_OPTIONS=--require=/tmp/x',
          'PATH=/tmp',
          'CONNECTOR_=1',
          ' CONNECTOR_A=1',
          'CONNECTOR_A',
        ])
          assert.match(
            problemOf(name, `CONNECTOR_A=1\n${line}`) ?? '',
            /number 2, that is not CONNECTOR_NAME=value$/,
            line,
          );
      }
    });
  });
});

const marking = (file: string): string =>
  `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(file)}, 'ran'); console.log('{"has":true}');`;

/** A program that starts a child, writes down both processes, and never ends by itself. */
const family = (parent: string, child: string, stdio = 'inherit'): string => `
  import { spawn } from 'node:child_process';
  import { writeFileSync, renameSync } from 'node:fs';
  const write = (file, pid) => { writeFileSync(file + '.new', String(pid)); renameSync(file + '.new', file); };
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: '${stdio}' });
  write(${JSON.stringify(parent)}, process.pid);
  write(${JSON.stringify(child)}, child.pid);
  setInterval(() => {}, 1000);`;

const tree = (folder: string): string[] => readdirSync(folder, { recursive: true }).map(String).sort();

/** Whether there is a process of this id that has not ended; one that nobody has waited for yet has (proc(5), state Z). */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
  } catch {
    return false;
  }
}
