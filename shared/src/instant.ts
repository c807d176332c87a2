declare const instantBrand: unique symbol;
declare const bootBrand: unique symbol;
declare const durationBrand: unique symbol;

/** A point of wall-clock time: milliseconds since the Unix epoch. */
export type InstantMs = number & { readonly [instantBrand]: true };

/** A point on this boot's clock, sleep included: milliseconds since boot. Means nothing on another machine or boot. */
export type BootMs = number & { readonly [bootBrand]: true };

/** A length of time in milliseconds. */
export type DurationMs = number & { readonly [durationBrand]: true };

export const instantMs = (value: number): InstantMs => value as InstantMs;
export const bootMs = (value: number): BootMs => value as BootMs;
export const durationMs = (value: number): DurationMs => value as DurationMs;

export const SECOND = durationMs(1_000);
export const MINUTE = durationMs(60_000);
export const HOUR = durationMs(3_600_000);
export const DAY = durationMs(86_400_000);
