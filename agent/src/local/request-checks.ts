import {
  GrantKind,
  type CancelRequestRequest,
  type EndRequest,
  type GrantOptions,
  type RequestAccessRequest,
  type StartRequest,
} from '@curfew/proto';
import { commandProblem, CurfewError, hasUnsafeText } from '@curfew/shared';

/**
 * The rules of the schema for what people on the device send. They stand here once more because the library that reads
 * them from the schema is large, and the agent runs as root; a test holds the two against each other.
 * Errors of every check: FIELD_INVALID, with the field's path.
 */
export const requestChecks = {
  requestAccess: ({ duration, reason, options, ticket, resource, resourceAccount }: RequestAccessRequest): void => {
    if (duration === undefined) throw invalid('duration', 'is required');
    const { seconds, nanos } = duration;
    if (seconds < 1n || seconds > LONGEST_SECONDS || (seconds === LONGEST_SECONDS && nanos > 0))
      throw invalid('duration', 'must be from 1s to 365d');
    if (nanos < 0 || nanos > 999_999_999)
      throw invalid('duration', 'is not a duration: its nanos do not go with its seconds');
    if (reason.trim() === '') throw invalid('reason', 'must not be blank: say why');
    if (lengthOf(reason) > 500) throw invalid('reason', 'must be at most 500 characters');
    if (hasUnsafeText(reason)) throw invalid('reason', 'must not hold control or invisible characters');
    if (options !== undefined) checkOptions(options);
    if (lengthOf(ticket) > 100) throw invalid('ticket', 'must be at most 100 characters');
    if (ticket !== '' && ticket.trim() === '') throw invalid('ticket', 'must not be blank');
    if (hasUnsafeText(ticket)) throw invalid('ticket', 'must not hold control or invisible characters');
    checkName('resource', resource);
    checkName('resource_account', resourceAccount);
  },
  cancelRequest: ({ requestId }: CancelRequestRequest): void => {
    if (requestId === '') throw invalid('request_id', 'is required');
    checkId('request_id', requestId);
  },
  start: ({ requestId }: StartRequest): void => checkId('request_id', requestId),
  end: ({ sessionId, resource }: EndRequest): void => {
    checkId('session_id', sessionId);
    checkName('resource', resource);
    if (sessionId !== '' && resource !== '') throw invalid('resource', 'does not go together with a session');
  },
} as const;

const LONGEST_SECONDS = 31_536_000n;

const invalid = (field: string, problem: string): CurfewError => new CurfewError('FIELD_INVALID', { field, problem });

/** As the schema's rules count: code points. */
const lengthOf = (text: string): number => Array.from(text).length;

function checkId(field: string, id: string): void {
  if (!/^[a-z0-9-]{0,32}$/.test(id))
    throw invalid(field, 'must be an id or the start of one: letters, digits and hyphens, at most 32');
}

function checkName(field: string, name: string): void {
  if (lengthOf(name) > 256) throw invalid(field, 'must be at most 256 characters');
}

function checkOptions({ kind, commands, runAs, group }: GrantOptions): void {
  if (!Object.hasOwn(GrantKind, kind))
    throw invalid('options.kind', 'must be one of GRANT_KIND_SUDO_RULE, GRANT_KIND_GROUP_MEMBERSHIP');
  if (commands.length > 32) throw invalid('options.commands', 'must contain no more than 32 items');
  for (const [index, { argv }] of commands.entries()) checkCommand(`options.commands.${index}.argv`, argv);
  for (const [field, name] of [
    ['options.run_as', runAs],
    ['options.group', group],
  ] as const)
    if (!/^([a-z_][a-z0-9_-]{0,31})?$/.test(name))
      throw invalid(field, 'must be the name of a local account: lower-case letters, digits, _ and -, at most 32');
}

function checkCommand(field: string, argv: readonly string[]): void {
  if (argv.length < 1 || argv.length > 64) throw invalid(field, 'must contain 1 to 64 items');
  const long = argv.findIndex((argument) => lengthOf(argument) > 1024);
  if (long >= 0) throw invalid(`${field}.${long}`, 'must be at most 1024 characters');
  const wrong = commandProblem(argv);
  if (wrong !== undefined) throw invalid(`${field}.${wrong.at}`, wrong.problem);
}
