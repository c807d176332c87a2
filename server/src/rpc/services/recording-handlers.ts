import {
  CutRecordingResponse,
  ListRecordingsResponse,
  Recording,
  WatchRecordingResponse,
  type CutRecordingRequest,
  type ListRecordingsRequest,
  type WatchRecordingRequest,
} from '@curfew/proto';
import { nextTurn } from '../../next-turn.js';
import { messagesIn } from '../../recordings/frames.js';
import type { Recordings, ShownRecording } from '../../recordings/recordings.js';
import type { Identity } from '../authenticate.js';
import { callerOf } from '../caller-of.js';
import { decodedEvent, recordingToProto } from '../recording-to-proto.js';
import type { AnswerStream } from '../service-host.js';

export interface RecordingHandlerParts {
  readonly recordings: Recordings;
  /** Called when a device has something to cut. */
  readonly cutWished: (deviceId: string) => void;
}

const toProto = ({ stored, deleteAtMs }: ShownRecording): Recording => recordingToProto(stored, deleteAtMs);

export function recordingHandlers({ recordings, cutWished }: RecordingHandlerParts) {
  return {
    listRecordings: async (request: ListRecordingsRequest) => {
      const page = await recordings.list(request.sessionId, request);
      return ListRecordingsResponse.fromPartial({
        recordings: page.recordings.map(toProto),
        nextPageToken: page.nextPageToken,
        totalSize: page.total,
      });
    },
    watchRecording: async (
      { recordingId }: WatchRecordingRequest,
      identity: Identity,
      stream: AnswerStream<WatchRecordingResponse>,
    ) => {
      const first = await recordings.watch(callerOf(identity), recordingId);
      await sendRecording(recordings, first, stream);
    },
    cutRecording: async ({ recordingId }: CutRecordingRequest, identity: Identity) => {
      const shown = await recordings.cut(callerOf(identity), recordingId);
      cutWished(shown.stored.deviceId);
      return CutRecordingResponse.fromPartial({ recording: toProto(shown) });
    },
  };
}

/**
 * Sends a recording piece by piece, each only when there is room for it: whoever is slow is sent it from the store later.
 * Goes on while it runs.
 */
async function sendRecording(
  recordings: Recordings,
  first: ShownRecording,
  stream: AnswerStream<WatchRecordingResponse>,
): Promise<void> {
  const { id } = first.stored.head;
  const { signal } = stream;
  let [known, offset] = ['', 0];
  let wake = (): void => undefined;
  let hasChanged = false;
  const changed = (): void => {
    hasChanged = true;
    wake();
  };
  const stop = recordings.onChange(id, changed);
  signal.addEventListener('abort', changed);
  try {
    while (!signal.aborted) {
      hasChanged = false;
      const recording = await recordings.get(id);
      const shown = toProto(recording);
      const bytes = await recordings.read(id, offset);
      offset += bytes.length;
      const events = [...messagesIn(bytes)].flatMap((message) => decodedEvent(message) ?? []);
      // Its size grows with every event, which the events say.
      const now = JSON.stringify(Recording.toJSON({ ...shown, size: 0n }));
      if (now !== known || events.length > 0)
        await stream.send(
          WatchRecordingResponse.fromPartial({ events, ...(now === known ? {} : { recording: shown }) }),
        );
      known = now;
      if (bytes.length > 0) await nextTurn();
      else if (!recording.stored.isOpen) return;
      else if (!wasChanged())
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    stop();
    signal.removeEventListener('abort', changed);
  }

  function wasChanged(): boolean {
    return hasChanged || signal.aborted;
  }
}
