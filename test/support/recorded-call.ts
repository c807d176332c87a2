import {
  AppendRecordingRequest,
  CreateAccessRequestRequest,
  RecordedEvent,
  Recording,
  RecordingServiceService as service,
  RecordingState,
  StartSessionRequest,
  WatchRecordingRequest,
  WatchRecordingResponse,
  type GrantOptions,
} from '@curfew/proto';
import { newId, systemRandom } from '@curfew/shared';
import type * as grpc from '@grpc/grpc-js';
import { asRefusal, type ApiClient, type Refusal } from './api-client.js';
import type { ScriptedDevice } from './scripted-device.js';
import { eventually } from './wait.js';

/** What was written to the terminal, a tenth of a second after what came before. */
export const written = (bytes: Uint8Array | string): RecordedEvent =>
  RecordedEvent.fromPartial({
    delay: { seconds: 0n, nanos: 100_000_000 },
    event: { $case: 'terminalOutput', value: Buffer.from(bytes) },
  });

/** Events as a device sends them: each after its length. */
export function framesOf(events: readonly RecordedEvent[]): Buffer {
  return Buffer.concat(
    events.flatMap((event) => {
      const message = Buffer.from(RecordedEvent.encode(event).finish());
      const length = Buffer.alloc(4);
      length.writeUInt32BE(message.length);
      return [length, message];
    }),
  );
}

/** Everything that was written to the terminal. */
export const outputOf = (events: readonly RecordedEvent[]): Buffer =>
  Buffer.concat(events.flatMap(({ event }) => (event?.$case === 'terminalOutput' ? [event.value] : [])));

type Call<Q, S> = (request: Q, callback: (error: grpc.ServiceError | null, answer: S) => void) => unknown;

const answerOf = <Q, S>(call: Call<Q, S>, request: Q): Promise<S> =>
  new Promise((resolve, reject) => {
    call(request, (error, answer) => {
      if (error === null) resolve(answer);
      else reject(error);
    });
  });

/** Asks for a session on a device in somebody's name, where a policy approves it by itself, and starts it. Gives its id. */
export async function startSession(
  device: ScriptedDevice,
  name: string,
  options: Partial<GrantOptions> = {},
): Promise<string> {
  const { link } = device;
  const account = device.account(name);
  const wish = { account, duration: { seconds: 600n, nanos: 0 }, reason: 'a look', options };
  const ask: Call<CreateAccessRequestRequest, { request?: { id: string } | undefined }> =
    link.createAccessRequest.bind(link);
  const { request } = await answerOf(ask, CreateAccessRequestRequest.fromPartial(wish));
  const start: Call<StartSessionRequest, { session?: { id: string } | undefined }> = link.startSession.bind(link);
  const { session } = await answerOf(start, StartSessionRequest.fromPartial({ account, requestId: request?.id ?? '' }));
  if (session === undefined) throw new Error('no session was started');
  await eventually(() => device.held.includes(session.id), { withinMs: 30_000, what: 'the lease' });
  return session.id;
}

/** One call of sudo, as a device records it. */
export class RecordedCall {
  /** How many bytes of events the server has, as it said last. */
  size = 0;
  readonly recording: Recording;

  constructor(sessionId: string, known: Partial<Recording> = {}) {
    this.recording = Recording.fromPartial({
      id: newId('recording', systemRandom),
      sessionId,
      command: '/bin/cat',
      arguments: ['cat', 'notes'],
      terminal: '/dev/pts/1',
      runAsUser: 'root',
      columns: 80,
      lines: 24,
      startTime: new Date('2026-11-27T10:24:00Z'),
      state: RecordingState.RUNNING,
      ...known,
    });
  }

  get id(): string {
    return this.recording.id;
  }

  /** Sends events behind those that the server has, and what is known now. Errors: gRPC's. */
  async append(
    { link }: Pick<ScriptedDevice, 'link'>,
    events: readonly RecordedEvent[],
    known: Partial<Recording> = {},
    totalSize = 0,
  ): Promise<void> {
    Object.assign(this.recording, known);
    const request = AppendRecordingRequest.fromPartial({
      recording: this.recording,
      offset: BigInt(this.size),
      events: framesOf(events),
      totalSize: BigInt(totalSize),
    });
    const append: Call<AppendRecordingRequest, { size: bigint }> = link.appendRecording.bind(link);
    this.size = Number((await answerOf(append, request)).size);
  }
}

/** Somebody who watches a recording. */
export class RecordingWatcher {
  /** What was said of it, oldest first. */
  readonly known: Recording[] = [];
  readonly events: RecordedEvent[] = [];
  /** How the watch ended: undefined while it goes on, null when it was over. */
  end: Refusal | null | undefined;
  readonly stream: grpc.ClientReadableStream<Buffer>;

  constructor(api: ApiClient, recordingId: string) {
    const request = WatchRecordingRequest.fromPartial({ recordingId });
    this.stream = api.stream(service.watchRecording.path, service.watchRecording.requestSerialize(request));
    this.stream.on('data', (bytes: Buffer) => {
      const { recording, events } = WatchRecordingResponse.decode(bytes);
      if (recording !== undefined) this.known.push(recording);
      this.events.push(...events);
    });
    this.stream.on('end', () => (this.end ??= null));
    this.stream.on('error', (error) => (this.end = asRefusal(error)));
  }

  get output(): Buffer {
    return outputOf(this.events);
  }

  until(is: (watcher: this) => boolean, what: string): Promise<unknown> {
    return eventually(() => is(this), { withinMs: 20_000, what });
  }

  /** Waits until it is over by itself. */
  over(): Promise<unknown> {
    return this.until(({ end }) => end !== undefined, 'the end of the watch');
  }
}
