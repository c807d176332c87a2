import { z } from 'zod';

/** The kinds of right a lease can be for. */
export const GRANT_KINDS = ['sudo_rule', 'group_membership'] as const;

const grantOptionsSchema = z.strictObject({
  kind: z.enum(GRANT_KINDS),
  /** Whether sudo asks for the person's own password. */
  passwordRequired: z.boolean(),
  /** Exact command lines; empty means every command. */
  commands: z.array(z.array(z.string()).min(1)),
  /** The account that commands may run as; '' means root. */
  runAs: z.string(),
  /** The group to join for group membership; '' means the platform's administrators' group. */
  group: z.string(),
});

/** What a session gives, with every default filled in. */
export type GrantOptions = z.infer<typeof grantOptionsSchema>;

/** The claims of a lease: what the server signs, and everything that the agent checks before it makes a right. */
export const leaseClaimsSchema = z.strictObject({
  sessionId: z.string().regex(/^ses-[0-9a-z]{20}$/),
  /** Lower-case hex SHA-256 of the device's public key (SubjectPublicKeyInfo, DER). */
  deviceKeyHash: z.string().regex(/^[0-9a-f]{64}$/),
  account: z.strictObject({
    name: z.string().min(1).max(256),
    uid: z.int().nonnegative().nullable(),
    sid: z.string().max(184),
    /** Lower-case hex SHA-256; see the agent's account-fingerprint. */
    fingerprint: z.string().regex(/^[0-9a-f]{64}$/),
  }),
  options: grantOptionsSchema,
  /** The ledger's incarnation: grows with every recovery from a backup. */
  incarnation: z.int().positive(),
  /** Grows with every lease of the device; what is at or below the device's floor is never applied anew. */
  epoch: z.int().positive(),
  /** The nonce of the stream that the lease answers. */
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  /** How long the right may last, counted from the moment when the agent SENT the nonce. */
  durationMs: z.int().positive(),
  /** The wall-clock end: milliseconds since the Unix epoch. */
  wallEndMs: z.int().positive(),
  /**
   * How long after its link is lost the device ends the right; absent when it runs to its end. An agent that does not know
   * this claim refuses the lease.
   */
  offlineEndAfterMs: z.int().positive().optional(),
  /**
   * Whether what runs under the right is only reported when it ends, not ended; absent ends it. An agent that does not know
   * this claim refuses the lease.
   */
  keepProcesses: z.literal(true).optional(),
  /**
   * What is recorded of the calls of sudo under the right; absent for nothing. `required` has sudo refuse where that cannot
   * be done. An agent that does not know this claim refuses the lease.
   */
  recording: z
    .strictObject({ mode: z.enum(['commands', 'output', 'input_and_output']), required: z.boolean() })
    .optional(),
  /**
   * Whether the worst of what the session leaves behind on the device is undone at its end; absent only tells of it. An agent
   * that does not know this claim refuses the lease.
   */
  undoChanges: z.literal(true).optional(),
  /**
   * Whether the desktop's prompts are answered as well, for a sudo rule with every command as root; absent leaves them to the
   * machine. An agent that does not know this claim refuses the lease.
   */
  desktop: z.literal(true).optional(),
  /** When the server signed, by its wall clock: milliseconds since the Unix epoch. */
  issuedAtMs: z.int().positive(),
});

export type LeaseClaims = z.infer<typeof leaseClaimsSchema>;
