import { RecordedEvent } from '@curfew/proto';
import type { FuzzTarget } from './target.js';

const events: Parameters<typeof RecordedEvent.fromPartial>[0][] = [
  { delay: { seconds: 1n, nanos: 5 }, event: { $case: 'terminalOutput', value: Buffer.from('id\r\n') } },
  { event: { $case: 'windowSize', value: { columns: 80, lines: 24 } } },
  { event: { $case: 'suspension', value: 'TSTP' } },
  { event: { $case: 'lostBytes', value: 7n } },
];

/** What a device says of a command, as a device in strange hands could say it. */
export const recordedEvents: FuzzTarget = {
  name: 'recorded-events',
  modules: ['/server/dist/rpc/recording-to-proto', '/proto/dist/gen/curfew/types/v1/recording'],
  seeds: () => events.map((event) => Buffer.from(RecordedEvent.encode(RecordedEvent.fromPartial(event)).finish())),
  open: async () => {
    const { eventProblem } = await import('@curfew/server/parts');
    const problemOf = eventProblem('input_and_output');
    return (input) => problemOf(input) === undefined;
  },
};
