/** The fields of type google.protobuf.Duration in what the tools print; a test holds the list against the schema. */
export const DURATION_FIELDS: ReadonlySet<string> = new Set([
  'coolDown',
  'defaultDuration',
  'delay',
  'duration',
  'endAfter',
  'freshSignIn',
  'keep',
  'maxDuration',
  'offlineEndAfter',
  'remaining',
  'runTime',
  'startWithin',
  'took',
]);

/**
 * Completes the generated toJSON to the JSON mapping of Protocol Buffers: durations are written '1800s' there, and as
 * their two fields by the generated code (protobuf.dev/programming-guides/json).
 */
export function protoJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(protoJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]: [string, unknown]) => [
      key,
      DURATION_FIELDS.has(key) && typeof field === 'object' && field !== null ? durationText(field) : protoJson(field),
    ]),
  );
}

function durationText(field: { readonly seconds?: string; readonly nanos?: number }): string {
  const seconds = BigInt(field.seconds ?? 0);
  const nanos = field.nanos ?? 0;
  const negative = seconds < 0n || nanos < 0;
  const whole = `${negative ? '-' : ''}${seconds < 0n ? -seconds : seconds}`;
  if (nanos === 0) return `${whole}s`;
  const digits = String(Math.abs(nanos)).padStart(9, '0');
  return `${whole}.${digits.replace(/(000){1,2}$/, '')}s`;
}
