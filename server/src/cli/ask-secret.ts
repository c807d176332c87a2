import { Exit } from '@curfew/shared/cli';
import { Writable } from 'node:stream';
import { ask } from './ask.js';
import type { ToolContext } from './tool-context.js';

/** Asks on a terminal for something that must not be seen. Errors: leaves when the person would not answer. */
export async function askSecret({ stdin, stderr }: ToolContext, question: string): Promise<string> {
  // What is typed is echoed by readline's output, so it gets one that drops everything.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const answer = ask({ input: stdin, output: silent, terminal: true }, '');
  // Only now does the terminal show nothing of what is typed: who sees the question may begin.
  stderr.write(`${question} (not shown): `);
  const asked = await answer;
  stderr.write('\n');
  if ('text' in asked) return asked.text;
  throw new Exit(asked.exitCode);
}

/** Everything on stdin. */
export async function readStdin({ stdin }: ToolContext): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}
