import type { RecordingJson } from '../src/gen/api.js';
import type { CallHandlers, WatchHandlers } from './handlers.js';
import { find } from './lookup.js';
import { pageOf } from './paging.js';
import { cutLater, isRunning } from './recording-life.js';
import { refuse } from './refusal.js';
import type { FakeRecording, World } from './world.js';

/** How many events a part of a recording has at most. */
const PART = 200;

/** The recording of an id or a unique prefix. */
function recordingOf(world: World, given: string | undefined): FakeRecording {
  const heads = [...world.recordings.values()].map(({ recording }) => recording);
  const { id = '' } = find(heads, 'recording', given, 'RECORDING_NOT_FOUND');
  const found = world.recordings.get(id);
  if (found === undefined) throw refuse('RECORDING_NOT_FOUND', { given: given ?? '' });
  return found;
}

/** What was run in sessions. */
export const recordingMethods: Pick<CallHandlers, 'RecordingService/ListRecordings' | 'RecordingService/CutRecording'> =
  {
    'RecordingService/ListRecordings': (world, _caller, request) => {
      const session = find(world.sessions.values(), 'session', request.sessionId, 'SESSION_NOT_FOUND');
      const of = [...world.recordings.values()]
        .map(({ recording }) => recording)
        .filter(({ sessionId }) => sessionId === session.id);
      const orders = { start_time: ({ startTime = '' }: RecordingJson) => startTime };
      const page = pageOf(of, request, orders, 'start_time');
      return { recordings: page.items, nextPageToken: page.nextPageToken, totalSize: page.totalSize };
    },
    'RecordingService/CutRecording': (world, caller, { recordingId }) => {
      const found = recordingOf(world, recordingId);
      const { id = '', sessionId = '' } = found.recording;
      if (!isRunning(found)) throw refuse('RECORDING_NOT_RUNNING', { id });
      world.record('recording.cut', `user:${caller.user.name ?? ''}`, sessionId, { recording: id });
      cutLater(world, id);
      return { recording: found.recording };
    },
  };

/** Sends a recording from its start, and of one that runs what comes after. */
export const watchRecording: WatchHandlers['RecordingService/WatchRecording'] = (
  world,
  caller,
  { recordingId },
  send,
  end,
) => {
  const { recording: first, events } = recordingOf(world, recordingId);
  const { id = '', sessionId = '' } = first;
  world.record('recording.watched', `user:${caller.user.name ?? ''}`, sessionId, { recording: id });
  let sent = 0;
  const more = (recording: RecordingJson, all: FakeRecording['events']): void => {
    send({ recording, events: all.slice(sent, sent + PART) });
    for (sent = Math.min(all.length, sent + PART); sent < all.length; sent += PART)
      send({ events: all.slice(sent, sent + PART) });
    sent = all.length;
  };
  more(first, events);
  if (!isRunning({ recording: first, events })) return undefined;
  const stop = world.listen((kind, changed) => {
    const now = kind === 'recording' && changed === id ? world.recordings.get(id) : undefined;
    if (now === undefined) return;
    more(now.recording, now.events);
    if (isRunning(now)) return;
    stop();
    end();
  });
  return stop;
};
