import { commandProblem, CurfewError } from '@curfew/shared';
import type { GrantOrder } from '../../ports/privilege-host.js';

/** The first line of every file of ours: only what begins with it is ever touched. */
const MARK = '# Curfew: a temporary right; the agent makes and removes this file.';

/**
 * Renders a rule from typed fields. The subject is always '#uid', for a user may be called ALL (sudoers(5), 'User_List').
 * With `withEnd` sudo itself refuses from the end on: the second that NOTAFTER names is still allowed, so it names the
 * one before. Errors: ACCOUNT_INELIGIBLE, RULE_REJECTED.
 */
export function renderEntry(order: GrantOrder, withEnd: boolean): string {
  const { uid } = order.account;
  if (uid === null || !Number.isInteger(uid) || uid < 1 || uid >= 2 ** 31)
    throw new CurfewError('ACCOUNT_INELIGIBLE', {
      account: order.account.name,
      why: `uid ${String(uid)} is not a person's`,
    });
  const runAs = order.options.runAs === '' ? 'root' : order.options.runAs;
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(runAs))
    throw new CurfewError('RULE_REJECTED', { detail: 'the run-as account has an unusual name' });
  const whom = order.options.runAs === '' && order.options.commands.length === 0 ? 'ALL:ALL' : runAs;
  const end = withEnd ? ` NOTAFTER=${sudoTime(order.wallEnd)}` : '';
  const tag = order.options.passwordRequired ? 'PASSWD' : 'NOPASSWD';
  const commands = order.options.commands.length === 0 ? 'ALL' : order.options.commands.map(renderCommand).join(', ');
  return `${MARK}\nDefaults:#${uid} timestamp_timeout=0\n#${uid} ALL=(${whom})${end} ${tag}: ${commands}\n`;
}

/** 'YYYYMMDDHHMMSSZ', one second before the end. */
function sudoTime(wallEndMs: number): string {
  const time = new Date((Math.floor(wallEndMs / 1000) - 1) * 1000).toISOString();
  return `${time.slice(0, 19).replace(/[-:T]/g, '')}Z`;
}

/** One exact command line. Errors: RULE_REJECTED. */
function renderCommand(argv: readonly string[]): string {
  const wrong = commandProblem(argv);
  if (wrong !== undefined) throw new CurfewError('RULE_REJECTED', { detail: wrong.problem });
  // '""' allows the program without any argument only (sudoers(5), 'Cmnd_List').
  return argv.length === 1 ? `${argv[0] ?? ''} ""` : argv.join(' ');
}
