import { type Duration, Role } from '@curfew/proto';
import { durationMs, type DurationMs } from '@curfew/shared/cli';

/** A length of time as the wire has it. */
export const durationToProto = (ms: DurationMs): Duration => ({
  seconds: BigInt(Math.floor(ms / 1000)),
  nanos: (ms % 1000) * 1_000_000,
});

/** A length of time from the wire; zero for none. */
export const durationFromProto = (duration: Duration | undefined): DurationMs =>
  durationMs(duration === undefined ? 0 : Number(duration.seconds) * 1000 + Math.floor(duration.nanos / 1_000_000));

/** The name of an enum's value as people read it: 'ended_by_user'. */
export function enumText(names: Readonly<Record<number, string>>, value: number): string {
  const name = names[value];
  return name === undefined || name === 'UNSPECIFIED' ? '' : name.toLowerCase();
}

/** The role of a name; unspecified for none. */
export const roleFromText = (text: string | undefined): Role =>
  text === undefined ? Role.UNSPECIFIED : Role[text.toUpperCase() as keyof typeof Role];
