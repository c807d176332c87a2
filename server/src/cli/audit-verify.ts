import { createReadStream } from 'node:fs';
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
  const { verdict, key } = await checkExport(file === '-' ? context.stdin : createReadStream(file), givenKey);
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

/**
 * Checks an export to the last byte: nothing in it may be spelled in another way than `audit export` writes it. `key` is
 * the one that the export names, when it got that far.
 */
export async function checkExport(
  chunks: AsyncIterable<Buffer | string> | Iterable<Buffer>,
  givenKey: string | undefined,
): Promise<{ readonly verdict: ExportVerdict; readonly key?: string }> {
  const verifier = new ExportVerifier();
  let seal: { checkpoint: string; key: string } | undefined;
  let number = 0;
  for await (const line of linesOf(chunks)) {
    number++;
    const parsed = line === undefined ? undefined : parseExportLine(line);
    if (parsed === undefined) return bad(`line ${number} is not a line of an export`);
    if (seal !== undefined) return bad(`line ${number} follows the checkpoint, which is the last line of an export`);
    if (parsed.kind === 'event') verifier.add(parsed);
    else seal = parsed;
  }
  if (seal === undefined) return bad('the export ends without its checkpoint');
  // A note may carry others' signatures, which nobody here could check; an export is written with the log's own.
  if (!/\n\n[^\n]+\n$/.test(seal.checkpoint)) return bad('the checkpoint carries more than one signature');
  if (givenKey !== undefined && seal.key !== givenKey) return bad('the export names another key than the given one');
  return { verdict: verifier.finish(seal.checkpoint, seal.key), key: seal.key };
}

const LINE_END = 0x0a;

/** The lines of a file, each with its end; undefined for one that is no text. The last may lack its end. */
async function* linesOf(chunks: AsyncIterable<Buffer | string> | Iterable<Buffer>): AsyncGenerator<string | undefined> {
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    let bytes = Buffer.from(chunk);
    for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END)) {
      yield textOf([...rest, bytes.subarray(0, end + 1)]);
      rest = [];
      bytes = bytes.subarray(end + 1);
    }
    if (bytes.length > 0) rest.push(bytes);
  }
  if (rest.length > 0) yield textOf(rest);
}

function textOf(parts: readonly Buffer[]): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts));
  } catch {
    return undefined;
  }
}

const bad = (problem: string): { verdict: ExportVerdict } => ({ verdict: { ok: false, problem } });
