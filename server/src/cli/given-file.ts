import { CurfewError } from '@curfew/shared/cli';
import { readFileSync } from 'node:fs';
import type { ToolContext } from './tool-context.js';

/** The text of the file that --file names; '-' is stdin. Errors: FIELD_INVALID. */
export async function readGivenFile({ stdin }: ToolContext, file: string): Promise<string> {
  if (file === '-') {
    let text = '';
    for await (const chunk of stdin) text += String(chunk);
    return text;
  }
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const problem = `${file} cannot be read: ${(cause as NodeJS.ErrnoException).code ?? 'unknown'}`;
    throw new CurfewError('FIELD_INVALID', { field: '--file', problem }, { cause });
  }
}
