import assert from 'node:assert/strict';
import { CurfewError } from '@curfew/shared';
import type { CommandResult } from '../../ports/command-runner.js';
import { execFileRunner } from './exec-file-runner.js';
import { Labels } from './labels.js';

describe('labels of SELinux', () => {
  const labelsOf = (
    isOn: boolean,
    answer: CommandResult | CurfewError,
    tool: string | undefined = '/usr/sbin/restorecon',
  ) => {
    const ran: string[][] = [];
    const run = async (program: string, args: readonly string[]): Promise<CommandResult> => {
      ran.push([program, ...args]);
      if (answer instanceof CurfewError) throw answer;
      return answer;
    };
    return { ran, labels: new Labels({ runner: { run }, tools: () => tool, isOn: () => isOn }) };
  };
  const done = { exitCode: 0, signal: null, stdout: '', stderr: '' };

  it('are those of the place, by restorecon', async () => {
    const { ran, labels } = labelsOf(true, done);
    await labels.restore('/etc/sudoers.d/zz-curfew', '/run/curfew');
    assert.deepEqual(ran, [['/usr/sbin/restorecon', '-F', '--', '/etc/sudoers.d/zz-curfew', '/run/curfew']]);
    assert.equal(labels.problem, '');
  });

  it('are left alone where SELinux is off', async () => {
    const { ran, labels } = labelsOf(false, done);
    await labels.restore('/etc/sudoers.d/zz-curfew');
    assert.deepEqual(ran, []);
  });

  // As restorecon of Fedora says it.
  for (const [name, answer, problem] of [
    [
      'refuses',
      { ...done, exitCode: 255, stderr: 'restorecon:  Could not set context\n' },
      'restorecon:  Could not set context',
    ],
    [
      'is killed',
      new CurfewError('COMMAND_FAILED', { command: 'x', exitCode: 'none', stderr: '' }),
      /COMMAND_FAILED|failed/,
    ],
  ] as const)
    it(`say what is wrong when restorecon ${name}, and hinder nothing`, async () => {
      const { labels } = labelsOf(true, answer);
      await labels.restore('/run/curfew');
      if (typeof problem === 'string') assert.equal(labels.problem, problem);
      else assert.match(labels.problem, problem);
    });

  it('name the program that is missing', async () => {
    const labels = new Labels({ runner: execFileRunner, tools: () => undefined, isOn: () => true });
    await labels.restore('/run/curfew');
    assert.equal(labels.problem, 'restorecon is not installed');
  });
});
