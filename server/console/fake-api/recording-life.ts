import { durationToProto } from '../src/model/proto-json.js';
import type { RecordedEventJson, RecordingJson } from '../src/gen/api.js';
import type { FakeRecording, World } from './world.js';

/** How long a device in reach takes to end a command. */
const CUT_MS = 400;

/** What a command writes, so long after what was before. */
export const output = (delayMs: number, bytes: string | Uint8Array): RecordedEventJson => ({
  delay: durationToProto(delayMs),
  terminalOutput: Buffer.from(bytes).toString('base64'),
});

const RUNNING = 'RECORDING_STATE_RUNNING';

/** Whether its command runs. */
export const isRunning = ({ recording }: FakeRecording): boolean => recording.state === RUNNING;

/** More happens while a command runs. Nothing once it has ended. */
function append(world: World, id: string, events: readonly RecordedEventJson[]): void {
  const before = world.recordings.get(id);
  if (before === undefined || !isRunning(before)) return;
  const all = [...before.events, ...events];
  world.putRecording({ recording: { ...before.recording, size: String(JSON.stringify(all).length) }, events: all });
}

/** A command that runs writes to its terminal. */
export const writeOutput = (world: World, id: string, text: string): void => append(world, id, [output(250, text)]);

/** A command ends. */
export function endRecording(world: World, id: string, how: RecordingJson): void {
  const before = world.recordings.get(id);
  if (before === undefined || !isRunning(before)) return;
  const ranMs = world.clock.now() - Date.parse(before.recording.startTime ?? '');
  world.putRecording({ ...before, recording: { ...before.recording, runTime: durationToProto(ranMs), ...how } });
}

/** Has the device end a command, which it does shortly after. */
export function cutLater(world: World, id: string): void {
  world.later(CUT_MS, () =>
    endRecording(world, id, { state: 'RECORDING_STATE_CUT_SHORT', error: 'ended by an operator' }),
  );
}
