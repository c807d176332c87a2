import { commandProblem, CurfewError } from '@curfew/shared';
import type { GrantOrder } from '../../ports/privilege-host.js';
import { parseRightFileName, rightFileName } from '../unix/right-file-name.js';

/** What ends each line of ours in doas.conf: a comment to doas (doas.conf(5)), the mark to us. */
const LINE = /^permit .* # (curfew\S*) ([0-9a-f-]+) (\S+)$/;

/** A line of ours as it stands in doas.conf. */
export interface DoasLine {
  readonly text: string;
  readonly bootId: string;
  readonly uid: number;
  readonly sessionId: string;
}

/**
 * Renders a right as lines of doas.conf(5), one for each command. The subject is '+UID': doas takes a word for a name
 * before it takes it for a number, there may be an account called 1001, and none can begin with '+' (passwd(5)). `agent` is
 * the name by which the agent's own are known on the machine.
 * Errors: ACCOUNT_INELIGIBLE, RULE_REJECTED.
 */
export function renderDoasLines(order: GrantOrder, agent: string, bootId: string): readonly string[] {
  const { uid, name } = order.account;
  if (uid === null || !Number.isInteger(uid) || uid < 1 || uid >= 2 ** 31)
    throw new CurfewError('ACCOUNT_INELIGIBLE', { account: name, why: `uid ${String(uid)} is not a person's` });
  const { passwordRequired, runAs, commands } = order.options;
  if (runAs !== '' && !/^[a-z_][a-z0-9_-]{0,31}$/.test(runAs))
    throw new CurfewError('RULE_REJECTED', { detail: 'the run-as account has an unusual name' });
  // Without 'persist' the password is asked for every time, and nothing of it is kept.
  const begin = `permit${passwordRequired ? '' : ' nopass'} +${uid}`;
  const target = runAs === '' && commands.length === 0 ? '' : ` as ${runAs === '' ? 'root' : runAs}`;
  const mark = ` # ${agent} ${bootId} ${rightFileName(uid, order.sessionId)}`;
  if (commands.length === 0) return [`${begin}${target}${mark}`];
  return commands.map((argv) => `${begin}${target}${renderCommand(argv)}${mark}`);
}

/** The lines of one agent of this machine in a text. */
export function parseDoasLines(text: string, agent: string): readonly DoasLine[] {
  return text.split('\n').flatMap((line) => {
    const [, whose, bootId = '', name = ''] = LINE.exec(line) ?? [];
    const entry = parseRightFileName(name);
    return entry === undefined || whose !== agent ? [] : [{ text: line, bootId, ...entry }];
  });
}

/** One exact command line: 'args' alone allows no argument. A word in quotes is never a keyword. Errors: RULE_REJECTED. */
function renderCommand(argv: readonly string[]): string {
  const wrong = commandProblem(argv);
  if (wrong !== undefined) throw new CurfewError('RULE_REJECTED', { detail: wrong.problem });
  const [program = '', ...args] = argv.map((word) => `"${word}"`);
  return ` cmd ${[program, 'args', ...args].join(' ')}`;
}
