import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { ToolContext } from './tool-context.js';

/** Asks on a terminal for something that must not be seen. */
export async function askSecret({ stdin, stderr }: ToolContext, question: string): Promise<string> {
  stderr.write(`${question} (not shown): `);
  // What is typed is echoed by readline's output, so it gets one that drops everything.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: silent, terminal: true });
  try {
    return await lines.question('');
  } finally {
    lines.close();
    stderr.write('\n');
  }
}

/** Everything on stdin. */
export async function readStdin({ stdin }: ToolContext): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}
