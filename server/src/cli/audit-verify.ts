import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { ExportVerifier, type ExportVerdict } from '@curfew/shared';
import { Exit, EXIT, outputOf, printOne, renderFields, safeText, say } from '@curfew/shared/cli';
import { parseExportLine } from './audit-export-file.js';
import type { ToolContext } from './tool-context.js';

/** `audit verify FILE`: talks to nobody. Refused (1) when a single bit is not as it was signed. */
export async function verifyExport(
  context: ToolContext,
  command: Command,
  file: string,
  givenKey: string | undefined,
): Promise<void> {
  const lines = createInterface({ input: file === '-' ? context.stdin : createReadStream(file), crlfDelay: Infinity });
  const { verdict, key } = await checkLines(lines, givenKey);
  if (givenKey === undefined && key !== undefined)
    say(context, `the key is the export's own; pass --key to check against one that you keep: ${safeText(key)}`);
  await printOne(context, outputOf(command).format, {
    json: verdict.ok
      ? {
          ok: true,
          origin: verdict.checkpoint.origin,
          size: verdict.checkpoint.size,
          root: verdict.checkpoint.root.toString('base64'),
        }
      : verdict,
    text: (look) =>
      verdict.ok
        ? renderFields(
            [
              ['audit log', 'intact'],
              ['records', String(verdict.checkpoint.size)],
              ['log', verdict.checkpoint.origin],
              ['root hash', verdict.checkpoint.root.toString('base64')],
            ],
            look,
          )
        : renderFields(
            [
              ['audit log', 'NOT INTACT'],
              ['problem', verdict.problem],
            ],
            look,
          ),
  });
  if (!verdict.ok) throw new Exit(EXIT.refused);
}

/** Checks an export line by line. `key` is the one that the export names, when it got that far. */
export async function checkLines(
  lines: AsyncIterable<string>,
  givenKey: string | undefined,
): Promise<{ readonly verdict: ExportVerdict; readonly key?: string }> {
  const verifier = new ExportVerifier();
  let seal: { checkpoint: string; key: string } | undefined;
  let number = 0;
  for await (const line of lines) {
    number++;
    const parsed = parseExportLine(line);
    if (parsed === undefined) return bad(`line ${number} is not a line of an export`);
    if (seal !== undefined) return bad(`line ${number} follows the checkpoint, which is the last line of an export`);
    if (parsed.kind === 'event') verifier.add(parsed);
    else seal = parsed;
  }
  if (seal === undefined) return bad('the export ends without its checkpoint');
  return { verdict: verifier.finish(seal.checkpoint, givenKey ?? seal.key), key: seal.key };
}

const bad = (problem: string): { verdict: ExportVerdict } => ({ verdict: { ok: false, problem } });
