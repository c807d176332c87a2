import { EXIT, runProgram, SystemClock } from '@curfew/shared/cli';
import type { Command, Option } from 'commander';
import assert from 'node:assert/strict';
import type { PersonContext } from './person-context.js';
import { personProgram } from './person-program.js';

const NO_DURATIONS = [
  '0',
  '-5m',
  'NaN',
  '1e12',
  '0x10',
  '90',
  '5',
  '1h 30',
  '',
  '٣٠m',
  '99999999999999999999s',
  '30m;1h',
];

/** Wrong values of each flag that takes one; those of --run-as are for the agent to refuse, by options.run_as. */
const WRONG: Readonly<Record<string, readonly string[]>> = {
  '--for <duration>': NO_DURATIONS,
  '--timeout <duration>': NO_DURATIONS,
  '--reason <text>': ['', ' \t', 'x'.repeat(501)],
  '--ticket <id>': ['', '  ', 'x'.repeat(101)],
  '--command <line>': ['', 'apt', './x', '/bin/x "open'],
  '-o, --output <format>': ['xml', 'JSON', ''],
  '--run-as <account>': [],
  '--account <name>': [],
  '--group [name]': ['Sudo', 'a b', '%wheel', 'x'.repeat(33)],
};

describe("curfew's flags", () => {
  let [out, err] = ['', ''];
  const context: PersonContext = {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    // Nobody is there: what gets that far ends with another code.
    env: { CURFEW_AGENT_SOCKET: '/nonexistent/agent.sock' },
    clock: new SystemClock(),
    version: '0',
  };
  const run = (args: readonly string[]): Promise<number> => {
    [out, err] = ['', ''];
    return runProgram(personProgram(context), args, context);
  };
  const program = personProgram(context);
  const optionsOf = (command: Command, way: readonly string[]): { option: Option; way: readonly string[] }[] => [
    ...command.options.filter(({ required, optional }) => required || optional).map((option) => ({ option, way })),
    ...command.commands.flatMap((inner) => optionsOf(inner, [...way, inner.name()])),
  ];
  const options = optionsOf(program, []);

  it('are refused when they are read: code for wrong usage, name of the flag, what would be right', async () => {
    let count = 0;
    for (const { option, way } of options) {
      const values = WRONG[option.flags];
      assert.ok(values, `${option.flags} is not known here`);
      for (const value of values) {
        const what = `${[...way, option.long].join(' ')} ${JSON.stringify(value)}`;
        assert.equal(await run([...way, option.long ?? '', value]), EXIT.usage, `${what}\n${err}`);
        assert.ok(err.includes(`option '${option.flags}' argument`), `${what}\n${err}`);
        assert.match(err, /Write |Allowed choices are |A unit is missing|Say why|at most|not closed/, what);
        assert.equal(out, '', what);
        count++;
      }
    }
    assert.ok(count > 50, `${count} wrong values`);
  });

  it('are asked for when they are missing, and refused when there are none such', async () => {
    for (const [args, says] of [
      [['request', '--reason', 'x'], /--for <duration>/],
      [['request', '--for', '5m'], /--reason <text>/],
      [['cancel'], /missing required argument 'id'/],
      [['status', 'extra'], /too many arguments/],
      [['start', '--colour'], /unknown option '--colour'/],
      [['nothing'], /unknown command 'nothing'/],
      [['resources', 'request', '--reason', 'x'], /missing required argument 'resource'/],
      [['resources', 'request', 'ops'], /--reason <text>/],
      [['resources', 'end'], /missing required argument 'resource'/],
      [['resources', 'list', 'ops'], /too many arguments/],
      [['resources', 'start'], /unknown command 'start'/],
    ] as const) {
      assert.equal(await run(args), EXIT.usage, args.join(' '));
      assert.match(err, says);
      assert.equal(out, '');
    }
  });
});
