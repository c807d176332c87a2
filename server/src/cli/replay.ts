import type { Command } from 'commander';
import {
  type Recording,
  RecordingServiceService as service,
  WatchRecordingRequest,
  WatchRecordingResponse,
} from '@curfew/proto';
import {
  asciicastHeader,
  AsciicastWriter,
  escapeUnsafe,
  outputOf,
  printStreamed,
  protoJson,
  safeText,
  say,
  usageError,
  type RecordedMoment,
} from '@curfew/shared/cli';
import { interrupted } from './interrupt.js';
import { momentFromProto } from './recorded-moment.js';
import { recordedCommand, recordingOutcome } from './recording-table.js';
import type { ReplayFlags } from './replay-flags.js';
import { ReplayPace } from './replay-pace.js';
import { withServer } from './server-connection.js';
import { known } from './sessions-actions.js';
import { TerminalFilter } from './terminal-filter.js';
import type { ToolContext } from './tool-context.js';
import { writeWholeFile, type WritePart } from './whole-file.js';

/** What is made of a recording as it comes. */
export interface Replayer {
  begin?(recording: Recording): Promise<void>;
  add(moment: RecordedMoment): Promise<void>;
  end(): Promise<void>;
}

/** `sessions replay REC`. One that runs is followed until it is over, or Ctrl-C. */
export async function replayRecording(
  context: ToolContext,
  command: Command,
  recordingId: string,
  flags: ReplayFlags,
): Promise<void> {
  const { format } = outputOf(command);
  const { cast, raw } = flags;
  if (raw === '-' && context.stdout.isTTY === true)
    usageError(command, 'raw bytes are not for a terminal: they can make it do anything; name a file');
  const stop = interrupted();
  await withServer(context, command, async (server) => {
    const answers = server.stream(service.watchRecording, WatchRecordingRequest.fromPartial({ recordingId }), stop);
    const play = (replayer: Replayer): Promise<void> => replay(context, answers, replayer);
    const into = (file: string, make: (write: WritePart) => Replayer): Promise<void> =>
      file === '-' ? play(make(toStdout(context))) : writeWholeFile(file, (write) => play(make(write)));
    if (raw !== undefined) return into(raw, rawBytes);
    if (cast !== undefined) return into(cast, asciicast);
    if (format !== 'table') {
      for await (const answer of answers)
        await printStreamed(context, format, protoJson(WatchRecordingResponse.toJSON(answer)));
      return;
    }
    if (flags.text === true || context.stdout.isTTY !== true) return play(plainText(toStdout(context)));
    return play(picture(context, flags, stop));
  });
}

async function replay(
  context: ToolContext,
  answers: AsyncIterable<WatchRecordingResponse>,
  replayer: Replayer,
): Promise<void> {
  let recording: Recording | undefined;
  try {
    for await (const answer of answers) {
      if (recording === undefined) await replayer.begin?.(known(answer.recording));
      recording = answer.recording ?? recording;
      for (const event of answer.events) {
        const moment = momentFromProto(event);
        if (moment !== undefined) await replayer.add(moment);
      }
    }
  } finally {
    await replayer.end();
  }
  if (recording !== undefined)
    say(context, `${safeText(recordedCommand(recording))}: ${safeText(recordingOutcome(recording))}`);
}

const toStdout =
  ({ stdout }: ToolContext): WritePart =>
  (part) => {
    stdout.write(part as string);
    return Promise.resolve();
  };

/** Exactly what was written to the terminal and to pipes. */
const rawBytes = (write: WritePart): Replayer => ({
  add: (moment) => {
    const isOutput = 'bytes' in moment && !moment.kind.endsWith('_input');
    return isOutput ? write(moment.bytes) : Promise.resolve();
  },
  end: () => Promise.resolve(),
});

/** A file of the form asciicast v2. */
export function asciicast(write: WritePart): Replayer {
  const writer = new AsciicastWriter();
  const line = (value: unknown): Promise<void> => write(`${escapeUnsafe(JSON.stringify(value))}\n`);
  return {
    begin: (recording) => {
      const { columns, lines, startTime } = recording;
      const head = { columns, lines, startedAtMs: startTime?.getTime() ?? 0, command: recordedCommand(recording) };
      return line(asciicastHeader(head));
    },
    add: async (moment) => {
      for (const event of writer.add(moment)) await line(event);
    },
    end: async () => {
      for (const event of writer.end()) await line(event);
    },
  };
}

/** Lines that can be read, searched and kept: without anything that a terminal acts on. */
function plainText(write: WritePart): Replayer {
  const [writer, filter] = [new AsciicastWriter(), new TerminalFilter('lines')];
  const show = async (events: ReturnType<AsciicastWriter['end']>): Promise<void> => {
    for (const [, code, data] of events)
      if (code === 'o') await write(filter.push(data).replace(/[^\t\n]+/g, safeText));
      else if (code === 'm') await write(`\n[${safeText(data)}]\n`);
  };
  return { add: (moment) => show(writer.add(moment)), end: () => show(writer.end()) };
}

/** What was on the terminal, at the pace in which it was there. */
function picture(context: ToolContext, flags: ReplayFlags, stop: AbortSignal): Replayer {
  const { stdout } = context;
  const [writer, filter] = [new AsciicastWriter(), new TerminalFilter('picture')];
  const pace = new ReplayPace(context.clock, flags, stop);
  // The terminal makes a whole line end of each line feed; one line down and nothing else is a vertical tab.
  const draw = (text: string): unknown => stdout.write(filter.push(text).replaceAll('\n', '\v'));
  const show = (events: ReturnType<AsciicastWriter['end']>): void => {
    if (stop.aborted) return;
    for (const [, code, data] of events)
      if (code === 'o') draw(data);
      else if (code === 'm') draw(`\r\n[${safeText(data)}]\r\n`);
  };
  return {
    begin: ({ columns, lines }) => {
      if (columns > (stdout.columns ?? 0) || lines > (stdout.rows ?? 0))
        say(context, `it was recorded on a terminal of ${columns}x${lines}, which is larger than this one`);
      return Promise.resolve();
    },
    add: async (moment) => {
      await pace.until(moment.delayMs);
      show(writer.add(moment));
    },
    end: () => {
      show(writer.end());
      stdout.write(`${filter.end()}\r\n`);
      return Promise.resolve();
    },
  };
}
