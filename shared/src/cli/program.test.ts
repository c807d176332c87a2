import assert from 'node:assert/strict';
import { CurfewError } from '../curfew-error.js';
import { CallFailure, callFailure } from './call-failure.js';
import { FakeTerminal } from './fake-terminal.js';
import { EXIT } from './exit-code.js';
import { Exit, newProgram, outputOf, runProgram, usageError } from './program.js';

async function run(argv: readonly string[], act: () => void = () => undefined) {
  const terminal = new FakeTerminal();
  const program = newProgram('tool', 'A tool.', '1.2.3', terminal);
  program
    .command('go')
    .option('--bad')
    .action((flags: { bad?: boolean }, command) => {
      if (flags.bad === true) usageError(command as never, 'not like that');
      act();
      terminal.stdout.write(JSON.stringify(outputOf(command as never)));
    });
  const code = await runProgram(program, argv, terminal, { SESSION_NOT_FOUND: 'look again' });
  return { code, out: terminal.out, err: terminal.err };
}

const throwing = (error: unknown) => (): never => {
  throw error;
};

describe('programs', () => {
  for (const { name, error, code, err } of [
    { name: 'a refusal', error: new CurfewError('SELF_APPROVAL'), code: EXIT.refused, err: /\[SELF_APPROVAL\]\n$/ },
    {
      name: 'a field',
      error: new CurfewError('FIELD_INVALID', { field: 'x', problem: 'y' }),
      code: EXIT.usage,
      err: /x: y/,
    },
    { name: 'a wait', error: new CurfewError('WAIT_TIMED_OUT', { what: 'it' }), code: EXIT.timedOut, err: /timed out/ },
    { name: 'no token', error: new CurfewError('NOT_SIGNED_IN'), code: EXIT.notSignedIn, err: /sign in/ },
    {
      name: 'no server',
      error: new CurfewError('SERVER_UNREACHABLE', { address: 'h:1', detail: 'd' }),
      code: EXIT.unreachable,
      err: /h:1/,
    },
    {
      name: 'a known miss',
      error: new CallFailure('SESSION_NOT_FOUND', 'no session', EXIT.refused),
      code: EXIT.refused,
      err: /no session \[SESSION_NOT_FOUND\]\nlook again\n$/,
    },
    {
      name: 'hostile text',
      error: new CallFailure('X', 'a\u001b[2J\nb', EXIT.refused),
      code: EXIT.refused,
      err: /^tool: a\\u\{1b\}\[2J\\u\{a\}b \[X\]\n$/,
    },
    { name: 'anything else', error: new Error('odd'), code: EXIT.refused, err: /^tool: odd\n$/ },
    { name: 'an exit', error: new Exit(42), code: 42, err: /^$/ },
  ])
    it(`ends with ${code} on ${name}, and prints no data`, async () => {
      const result = await run(['go'], throwing(error));
      assert.equal(result.code, code);
      assert.match(result.err, err);
      assert.equal(result.out, '');
    });

  it('takes the output flag on either side of a command', async () => {
    const chosen = '{"format":"yaml","chosen":true}';
    assert.equal((await run(['-o', 'yaml', 'go'])).out, chosen);
    assert.equal((await run(['go', '-o', 'yaml'])).out, chosen);
    assert.equal((await run(['go'])).out, '{"format":"table","chosen":false}');
  });

  for (const argv of [['go', '-o', 'xml'], ['go', '--no-such'], ['went'], ['go', '--bad'], ['go', 'extra'], []])
    it(`ends with 2 on the wrong usage ${JSON.stringify(argv)}`, async () => {
      const { code, out, err } = await run(argv);
      assert.deepEqual([code, out], [EXIT.usage, '']);
      assert.notEqual(err, '');
    });

  it('does not send escapes back that were typed', async () =>
    assert.doesNotMatch((await run(['go', '--x\u001b[2J'])).err, /\u001b/)); // eslint-disable-line no-control-regex -- what must not be there

  it('prints help and version on stdout and is done', async () => {
    assert.deepEqual(await run(['--version']), { code: 0, out: '1.2.3\n', err: '' });
    assert.match((await run(['go', '--help'])).out, /--output/);
  });
});

describe('call failures', () => {
  const unreachable = (detail: string): CurfewError => new CurfewError('AGENT_UNREACHABLE', { detail });
  const status = (code: number, details: string, told?: string) =>
    Object.assign(new Error(details), { code, details, metadata: { get: () => (told === undefined ? [] : [told]) } });

  for (const { given, code } of [
    { given: status(5, 'no session', 'SESSION_NOT_FOUND'), code: 'SESSION_NOT_FOUND' },
    { given: status(14, 'no link', 'SERVER_UNREACHABLE'), code: 'SERVER_UNREACHABLE' },
    { given: status(14, 'refused'), code: 'AGENT_UNREACHABLE' },
    { given: status(1, 'Cancelled'), code: 'AGENT_UNREACHABLE' },
    { given: status(13, 'Received RST_STREAM with code 2'), code: 'AGENT_UNREACHABLE' },
    { given: status(4, 'deadline'), code: 'AGENT_UNREACHABLE' },
    { given: status(16, 'who?'), code: 'NOT_SIGNED_IN' },
    { given: status(2, 'odd', 'NOT_A_CODE'), code: 'GRPC_2' },
  ])
    it(`reads status ${given.code} with ${JSON.stringify(given.details)} as ${code}`, () => {
      const told = callFailure(given, unreachable);
      assert.ok(told instanceof CallFailure || told instanceof CurfewError);
      assert.equal(told.code, code);
    });

  it('leaves other errors alone', () => {
    const error = new TypeError('bug');
    assert.equal(callFailure(error, unreachable), error);
  });
});
