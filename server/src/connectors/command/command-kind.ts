import { SECOND } from '@curfew/shared';
import path from 'node:path';
import type { ConnectorKind } from '../connector-kind.js';
import { OperationConnector } from '../operations/operation-connector.js';
import { resourceField } from '../operations/resource-field.js';
import { ProgramCarrier } from './program-carrier.js';

/** Names that no program but those made for Curfew heeds. Others, such as LD_PRELOAD, could make it run anything. */
const VARIABLE = /^(CONNECTOR_[A-Z0-9_]{1,60})=(.*)$/;
const MOST_LINES = 100;

/** The lines of a setting that are not empty. */
const linesOf = (value: string): string[] => value.split(/\r?\n/).filter((line) => line !== '');

const tooMany = (value: string): string | undefined =>
  linesOf(value).length > MOST_LINES ? `has more than ${MOST_LINES} lines` : undefined;

function programProblem(value: string): string | undefined {
  return path.isAbsolute(value) && path.normalize(value) === value && !value.endsWith(path.sep) && !value.includes('\0')
    ? undefined
    : 'is not an absolute path of a program, without . and ..';
}

const argumentsProblem = (value: string): string | undefined =>
  value.includes('\0') ? 'holds a NUL character' : tooMany(value);

/** Says the number of the line and not what it says: the value may be a secret. */
function variablesProblem(value: string): string | undefined {
  const wrong = linesOf(value).findIndex((line) => !VARIABLE.test(line) || line.includes('\0'));
  if (wrong >= 0) return `has a line, number ${wrong + 1}, that is not CONNECTOR_NAME=value`;
  return tooMany(value);
}

const variablesOf = (value: string): Record<string, string> =>
  Object.fromEntries(
    linesOf(value).flatMap((line) => {
      const [, name, text = ''] = VARIABLE.exec(line) ?? [];
      return name === undefined ? [] : [[name, text]];
    }),
  );

/** A program on the server, for everything that has no connector of its own. */
export const COMMAND_KIND: ConnectorKind = {
  kind: 'command',
  title: 'Command on the server',
  settings: [
    {
      name: 'program',
      label: 'Program',
      help: 'The absolute path of a program in the folder that timed_access.command_folder names.',
      required: true,
      problem: programProblem,
    },
    {
      name: 'arguments',
      label: 'Arguments',
      help: 'The arguments that it always gets, one on each line.',
      multiline: true,
      problem: argumentsProblem,
    },
    {
      name: 'variables',
      label: 'Variables',
      help: 'Variables of its environment, each on a line of its own, such as CONNECTOR_REGION=north.',
      multiline: true,
      problem: variablesProblem,
    },
    {
      name: 'secret_variables',
      label: 'Secret variables',
      help: 'Variables of its environment with passwords and tokens, each on a line of its own, such as CONNECTOR_TOKEN=….',
      multiline: true,
      secret: true,
      problem: variablesProblem,
    },
  ],
  target: [resourceField('program')],
  callsAtOnce: 4,
  callLimitMs: 45 * SECOND,
  unavailable: ({ commandFolder = '' }) =>
    commandFolder === '' ? 'the option timed_access.command_folder names no folder of programs' : undefined,
  open: ({ settings, secrets, target }, { clock, commandFolder = '' }) => {
    const hidden = variablesOf(secrets['secret_variables'] ?? '');
    return new OperationConnector(
      new ProgramCarrier(
        {
          folder: commandFolder,
          program: settings['program'] ?? '',
          args: linesOf(settings['arguments'] ?? ''),
          variables: { ...variablesOf(settings['variables'] ?? ''), ...hidden },
          secrets: Object.values(hidden),
          resource: target['resource'] ?? '',
        },
        clock,
      ),
      clock,
    );
  },
};
