import { z } from 'zod';

/** How far a recording is: see curfew.types.v1.RecordingState. */
const STATES = ['running', 'complete', 'cut_short', 'refused'] as const;

/** What is known of one call of sudo, as it is kept on the device beside its events. */
const headSchema = z.strictObject({
  id: z.string().regex(/^rec-[0-9a-z]{20}$/),
  sessionId: z.string().regex(/^ses-[0-9a-z]{20}$/),
  mode: z.enum(['commands', 'output', 'input_and_output']),
  command: z.string(),
  arguments: z.array(z.string()),
  argumentsCut: z.boolean(),
  workingDirectory: z.string(),
  terminal: z.string(),
  runAsUser: z.string(),
  columns: z.int().nonnegative(),
  lines: z.int().nonnegative(),
  /** By the device's wall clock. */
  startMs: z.int().nonnegative(),
  state: z.enum(STATES),
  /** Absent while it runs, and where it is not known. */
  runTimeMs: z.number().nonnegative().optional(),
  exitStatus: z.int().nonnegative(),
  signal: z.string(),
  error: z.string(),
  /** Bytes of output and input for which there was no room. */
  lostBytes: z.int().nonnegative(),
});

export type RecordingHead = z.infer<typeof headSchema>;

/** A head as it stands in its file; undefined when the text is none. */
export function parseHead(text: string): RecordingHead | undefined {
  try {
    return headSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
