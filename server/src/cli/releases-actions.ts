import {
  AppendReleaseRequest,
  Release,
  ReleaseServiceService as service,
  Rollout,
  StartRolloutRequest,
} from '@curfew/proto';
import { CurfewError, outputOf, printList, printOne, protoJson, say, usageError } from '@curfew/shared/cli';
import type { Command } from 'commander';
import { open, type FileHandle } from 'node:fs/promises';
import { releaseTable, rolloutText } from './release-table.js';
import type { RolloutFlags } from './releases-flags.js';
import { withServer } from './server-connection.js';
import { known } from './sessions-actions.js';
import type { ToolContext } from './tool-context.js';

/** How much of an archive goes in one call. */
const AT_ONCE = 1024 * 1024;
/** The longest first line. */
const LONGEST_STATEMENT = 4096;

/** `releases list`. */
export async function listReleases(context: ToolContext, command: Command): Promise<void> {
  const { releases } = await withServer(context, command, (server) => server.unary(service.listReleases, {}));
  await printReleases(context, command, releases);
}

/** `releases add FILE`. */
export async function addRelease(context: ToolContext, command: Command, file: string): Promise<void> {
  const handle = await open(file, 'r').catch((cause: unknown) => {
    const problem = `${file} cannot be read: ${(cause as NodeJS.ErrnoException).code ?? 'unknown'}`;
    throw new CurfewError('FIELD_INVALID', { field: 'file', problem }, { cause });
  });
  try {
    const statement = await firstLine(handle);
    const release = await withServer(context, command, async (server) => {
      let now = known((await server.unary(service.addRelease, { statement })).release);
      while (now.receivedSize < now.size) {
        const offset = Number(now.receivedSize);
        const { bytesRead, buffer } = await handle.read(
          Buffer.alloc(AT_ONCE),
          0,
          AT_ONCE,
          statement.length + 1 + offset,
        );
        if (bytesRead === 0) throw new CurfewError('RELEASE_MALFORMED', { problem: 'the file ends too early' });
        const request = { releaseId: now.id, offset: BigInt(offset), piece: buffer.subarray(0, bytesRead) };
        now = known((await server.unary(service.appendRelease, AppendReleaseRequest.fromPartial(request))).release);
      }
      return now;
    });
    say(context, `added; next: curfewctl rollouts start ${release.version} --percent 5`);
    await printReleases(context, command, [release]);
  } finally {
    await handle.close();
  }
}

/** What is signed stands in the first line, and is plain text. */
async function firstLine(handle: FileHandle): Promise<string> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(LONGEST_STATEMENT), 0, LONGEST_STATEMENT, 0);
  const end = buffer.subarray(0, bytesRead).indexOf('\n');
  if (end <= 0) throw new CurfewError('RELEASE_MALFORMED', { problem: 'the file is none that npm run package makes' });
  return buffer.toString('latin1', 0, end);
}

/** `releases remove ID`. */
export async function removeRelease(context: ToolContext, command: Command, releaseId: string): Promise<void> {
  await withServer(context, command, (server) => server.unary(service.removeRelease, { releaseId }));
  say(context, 'removed');
}

/** `rollouts start VERSION`. */
export async function startRollout(
  context: ToolContext,
  command: Command,
  version: string,
  { percent = 0, device: devices = [] }: RolloutFlags,
): Promise<void> {
  if (percent === 0 && devices.length === 0) usageError(command, 'say --percent, --device or both');
  const request = StartRolloutRequest.fromPartial({ version, percent, devices: [...devices] });
  const { rollout } = await withServer(context, command, (server) => server.unary(service.startRollout, request));
  await printRollout(context, command, known(rollout));
}

const MOVES = { pause: service.pauseRollout, resume: service.resumeRollout, finish: service.finishRollout } as const;

/** `rollouts pause`, `resume` and `finish`. */
export async function moveRollout(context: ToolContext, command: Command, name: keyof typeof MOVES): Promise<void> {
  const { rollout } = await withServer(context, command, (server) => server.unary(MOVES[name], {}));
  await printRollout(context, command, known(rollout));
}

/** `rollouts status`. */
export async function showRollout(context: ToolContext, command: Command): Promise<void> {
  const { rollout } = await withServer(context, command, (server) => server.unary(service.getRollout, {}));
  await printRollout(context, command, known(rollout));
}

const printRollout = (context: ToolContext, command: Command, rollout: Rollout): Promise<void> =>
  printOne(context, outputOf(command).format, {
    json: protoJson(Rollout.toJSON(rollout)),
    text: (look) => rolloutText(rollout, context.clock.now(), look),
  });

const printReleases = (context: ToolContext, command: Command, items: readonly Release[]): Promise<void> =>
  printList(context, outputOf(command).format, {
    items,
    json: (release) => protoJson(Release.toJSON(release)),
    table: (releases, look) => releaseTable(releases, context.clock.now(), look),
    none: 'no releases; add one with: curfewctl releases add FILE',
  });
