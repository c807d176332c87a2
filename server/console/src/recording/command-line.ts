import { shellText } from '@curfew/shared/browser';
import type { RecordingJson } from '../gen/api.js';

/** The command of a recording as one would type it, with '…' where arguments are left out. It is hostile text. */
export function commandLine({
  command = '',
  arguments: given = [],
  argumentsCut,
}: Pick<RecordingJson, 'command' | 'arguments' | 'argumentsCut'>): string {
  const [name = '', ...rest] = given;
  const program = command === '' ? name : command;
  const text = shellText([...(program === '' ? [] : [program]), ...rest]);
  return argumentsCut === true ? `${text} …` : text;
}
