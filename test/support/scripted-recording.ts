import { AppendRecordingRequest, RecordedEvent, RecordingMode, RecordingState } from '@curfew/proto';
import { newId, systemRandom } from '@curfew/shared';
import type { ScriptedDevice } from './scripted-device.js';

/** A call of sudo that a scripted device says it has recorded. */
export class ScriptedRecording {
  readonly id = newId('recording', systemRandom);
  private size = 0;

  constructor(
    private readonly device: ScriptedDevice,
    private readonly sessionId: string,
  ) {}

  /** Half a second later the command writes this to its terminal; `isOver` says that it has ended by then. */
  async write(text: string, isOver = false): Promise<void> {
    const event = RecordedEvent.encode(
      RecordedEvent.fromPartial({
        delay: { seconds: 0n, nanos: 500_000_000 },
        event: { $case: 'terminalOutput', value: Buffer.from(text) },
      }),
    ).finish();
    const length = Buffer.alloc(4);
    length.writeUInt32BE(event.length);
    const request = AppendRecordingRequest.fromPartial({
      recording: {
        id: this.id,
        sessionId: this.sessionId,
        command: '/usr/bin/id',
        arguments: ['id'],
        columns: 80,
        lines: 24,
        startTime: new Date('2026-11-27T10:24:00Z'),
        state: isOver ? RecordingState.COMPLETE : RecordingState.RUNNING,
        ...(isOver ? { runTime: { seconds: 1n, nanos: 0 } } : {}),
        mode: RecordingMode.OUTPUT,
      },
      offset: BigInt(this.size),
      events: Buffer.concat([length, event]),
    });
    await new Promise<void>((resolve, reject) => {
      this.device.link.appendRecording(request, (error) => (error === null ? resolve() : reject(error)));
    });
    this.size += length.length + event.length;
  }
}
