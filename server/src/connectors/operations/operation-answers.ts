import { z } from 'zod';
import { ConnectorError } from '../connector.js';
import type { Operation } from './operation.js';

const subject = z.object({ id: z.string().min(1).max(1000), label: z.string().min(1).max(1000) });

/** What each operation is answered with. What more there is in an answer is not read. */
const ANSWERS = {
  describe: z.object({
    text: z.string().min(1).max(500),
    findings: z.array(z.string().min(1).max(500)).max(20).default([]),
  }),
  find_subject: z.object({ subject: subject.nullable() }),
  has: z.object({ has: z.boolean() }),
  add: z.object({}),
  remove: z.object({}),
  members: z.object({ members: z.array(subject).max(100_000), next: z.string().max(1000).default('') }),
} as const satisfies Record<Operation['operation'], z.ZodType>;

export type OperationAnswer<Name extends Operation['operation']> = z.infer<(typeof ANSWERS)[Name]>;

/** Reads an answer, parsed JSON. Errors: ConnectorError 'refused' for one that is not as agreed, without its text. */
export function readAnswer<Name extends Operation['operation']>(name: Name, answer: unknown): OperationAnswer<Name> {
  const parsed = ANSWERS[name].safeParse(answer);
  if (parsed.success) return parsed.data as OperationAnswer<Name>;
  const problems = parsed.error.issues.slice(0, 3).map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`);
  throw new ConnectorError('refused', `the answer to '${name}' is not as agreed: ${problems.join('; ')}`);
}
