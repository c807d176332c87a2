import { writeFileSync } from 'node:fs';
import { Session, type Profiler } from 'node:inspector';

/** Loaded into the server before it starts: writes what it spent its time on to $CURFEW_BENCH_PROFILE when it ends. */
const file = process.env['CURFEW_BENCH_PROFILE'];
const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.start');
process.once('exit', () => {
  session.post('Profiler.stop', (_: Error | null, { profile }: Profiler.StopReturnType) => {
    if (file !== undefined) writeFileSync(file, JSON.stringify(profile));
  });
});
