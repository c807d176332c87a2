import { EXIT } from '@curfew/shared/cli';
import { createInterface, type ReadLineOptions } from 'node:readline';

/** What a shell calls a program that Ctrl-C has ended. */
const INTERRUPTED = 130;

/** What somebody at a terminal has answered, or the exit code of a person who would not. */
export type Asked = { readonly text: string } | { readonly exitCode: number };

/** Asks for one line. Ctrl-C and the end of the input are answers too: nobody is waited for any longer. */
export function ask(options: ReadLineOptions, question: string): Promise<Asked> {
  const lines = createInterface(options);
  return new Promise<Asked>((resolve) => {
    // The first of them counts: closing comes after every answer.
    lines.once('SIGINT', () => resolve({ exitCode: INTERRUPTED }));
    lines.once('close', () => resolve({ exitCode: EXIT.refused }));
    lines.question(question, (text) => resolve({ text }));
  }).finally(() => lines.close());
}
