import { commandProblem, CurfewError } from '@curfew/shared';
import type { GrantOrder, RecordingTerms } from '../../ports/privilege-host.js';

/** The first line of every file of ours: only what begins with it is ever touched. */
const MARK = '# Curfew: a temporary right; the agent makes and removes this file.';

/**
 * Renders a rule from typed fields. The subject is always '#uid', for a user may be called ALL (sudoers(5), 'User_List').
 * With `withEnd` sudo itself refuses from the end on: the second that NOTAFTER names is still allowed, so it names the
 * one before. With `port` sudo says hello there before it runs anything (sudoers(5), log_servers): a server that the machine
 * has for itself comes first, and one that is away stops nobody, unless the machine wants that (ignore_logfile_errors). With
 * `recording` sudo tells that one server what it runs. Errors: ACCOUNT_INELIGIBLE, RULE_REJECTED.
 */
export function renderEntry(
  order: GrantOrder,
  withEnd: boolean,
  port: number | undefined,
  recording: RecordingTerms | undefined,
): string {
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
  const server = port === undefined ? '' : `, ${serverOptions(port, recording)}`;
  // Their own password, also where the machine wants another one, as SUSE's sudoers does.
  const whose = order.options.passwordRequired ? ', !targetpw' : '';
  return `${MARK}\nDefaults:#${uid} timestamp_timeout=0${whose}${server}\n#${uid} ALL=(${whom})${end} ${tag}: ${commands}\n`;
}

/**
 * The streams that sudo tells of. 1.9.13 tells how a command has ended only where it logs one: in the mode 'commands' that of
 * which least is seen, and what comes of it is not kept. Its own filter for passwords it does not apply here.
 */
const STREAMS: Readonly<Record<RecordingTerms['mode'], readonly string[]>> = {
  commands: ['!log_output', '!log_input', 'log_stderr'],
  output: ['log_output', '!log_input'],
  input_and_output: ['log_output', 'log_input', '!log_passwords'],
};

/** Every way of recording. */
export const RECORDING_MODES = Object.keys(STREAMS) as readonly RecordingTerms['mode'][];

/** Who records what, sudoers(5): where a log server is named, sudo writes no log of input and output of its own. */
export function serverOptions(port: number, recording: RecordingTerms | undefined): string {
  const server = `127.0.0.1:${port}, log_server_timeout=5`;
  if (recording === undefined) return `log_servers+=${server}`;
  const streams = STREAMS[recording.mode];
  const not = recording.required ? '!' : '';
  return [`log_servers=${server}`, ...streams, `${not}ignore_iolog_errors`, `${not}ignore_logfile_errors`].join(', ');
}

/** The last end that sudo's kind of time has a second before: years have four digits. */
const LAST_END_MS = Date.UTC(10_000, 0, 1);

/** 'YYYYMMDDHHMMSSZ', one second before the end. Errors: RULE_REJECTED. */
function sudoTime(wallEndMs: number): string {
  if (wallEndMs > LAST_END_MS) throw new CurfewError('RULE_REJECTED', { detail: 'sudo cannot be told such an end' });
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

/** The port that a rule names, undefined when it names none. */
export function portOf(rule: string): number | undefined {
  const [, port] = /^Defaults:#\d+ .*, log_servers\+?=127\.0\.0\.1:(\d{1,4}),/m.exec(rule) ?? [];
  return port === undefined ? undefined : Number(port);
}
