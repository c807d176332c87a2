import { bootMs, CurfewError, instantMs, ManualClock, MINUTE } from '@curfew/shared';
import assert from 'node:assert/strict';
import path from 'node:path';
import { FakeWindows, LANGUAGES } from './fake-windows.js';
import { TaskRemover } from './task-remover.js';
import { quoteArgument, taskXml } from './task-xml.js';

const SESSION = `ses-${'7'.repeat(20)}`;
const NAME = `\\Curfew\\curfew-remove-${SESSION}`;

describe('the text of a task', () => {
  const text = taskXml({
    description: 'a <b> & "c"',
    at: new Date('2026-11-29T17:00:01.000Z'),
    program: 'C:\\Program Files\\Curfew\\node.exe',
    args: ['C:\\Program Files\\Curfew\\agent.cjs', 'remove-membership', SESSION],
  });

  it('runs as LocalSystem at the end, at every start of the machine, and each minute from then on', () => {
    assert.match(text, /<BootTrigger>\s*<Repetition>\s*<Interval>PT1M<\/Interval>/);
    assert.match(text, /<StartBoundary>2026-11-29T17:00:01Z<\/StartBoundary>/);
    assert.match(text, /<UserId>S-1-5-18<\/UserId>\s*<RunLevel>HighestAvailable</);
    assert.match(text, /<StartWhenAvailable>true</);
    assert.match(text, /<DisallowStartIfOnBatteries>false</);
    assert.doesNotMatch(text, /EndBoundary|DeleteExpiredTaskAfter/);
  });

  it('names the program by its whole path, and quotes what has spaces', () => {
    assert.match(text, /<Command>C:\\Program Files\\Curfew\\node.exe<\/Command>/);
    assert.match(
      text,
      new RegExp(
        `<Arguments>&quot;C:\\\\Program Files\\\\Curfew\\\\agent.cjs&quot; remove-membership ${SESSION}</Arguments>`,
      ),
    );
    assert.match(text, /<Description>a &lt;b&gt; &amp; &quot;c&quot;<\/Description>/);
  });

  for (const [given, quoted] of [
    ['plain', 'plain'],
    ['', '""'],
    ['a b', '"a b"'],
    ['a"b', '"a\\"b"'],
    ['a b\\', '"a b\\\\"'],
    ['a\\"b c', '"a\\\\\\"b c"'],
  ] as const)
    it(`gives a program the argument ${JSON.stringify(given)} as it is`, () => {
      assert.equal(quoteArgument(given), quoted);
    });
});

for (const language of LANGUAGES)
  describe(`the remover on ${language.name}`, () => {
    let windows: FakeWindows;
    let remover: TaskRemover;
    let clock: ManualClock;

    beforeEach(() => {
      windows = new FakeWindows(language);
      clock = new ManualClock();
      remover = new TaskRemover({
        runner: windows,
        clock,
        schtasks: 'C:\\Windows\\System32\\schtasks.exe',
        folder: path.join(windows.stateDir, 'armed'),
        mark: 'curfew',
        program: ['C:\\Program Files\\Curfew\\node.exe', 'C:\\Program Files\\Curfew\\agent.cjs'],
      });
    });
    afterEach(() => {
      windows.dispose();
    });

    const at = (boot: number, wall: number) => ({
      sessionId: SESSION,
      deadline: bootMs(clock.bootTime() + boot),
      wallEnd: instantMs(clock.now() + wall),
    });
    const startsAt = (): string => /<StartBoundary>(.*?)</.exec(windows.tasks.get(NAME) ?? '')?.[1] ?? '';

    it('is armed for the earlier of the two ends, and again for another', async () => {
      await remover.arm(at(20 * MINUTE, 10 * MINUTE));
      const first = startsAt();
      assert.ok(Date.parse(first) > clock.now() + 10 * MINUTE);
      assert.ok(Date.parse(first) <= clock.now() + 10 * MINUTE + 2_000);
      await remover.arm(at(5 * MINUTE, 10 * MINUTE));
      assert.ok(Date.parse(startsAt()) <= clock.now() + 5 * MINUTE + 2_000);
      assert.deepEqual(await remover.armed(), [SESSION]);
    });

    it('is stood down, also when it is gone already, without reading what schtasks says', async () => {
      await remover.arm(at(MINUTE, MINUTE));
      await remover.disarm(SESSION);
      assert.deepEqual([windows.tasks.size, await remover.armed()], [0, []]);
      await remover.disarm(SESSION);
      assert.ok(!windows.ran.slice(3).some(([, what]) => what === '/Delete'));
    });

    it('cannot be had where schtasks fails, and its words are told', async () => {
      windows.run = async () => ({ exitCode: 1, signal: null, stdout: '', stderr: language.noTask });
      await assert.rejects(remover.arm(at(MINUTE, MINUTE)), (error: unknown) => {
        assert.ok(error instanceof CurfewError);
        assert.equal(error.code, 'REMOVER_UNAVAILABLE');
        assert.ok(error.message.includes(language.noTask.trim()));
        return true;
      });
    });
  });
