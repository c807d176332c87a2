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
  /** When the server signed, by its wall clock: milliseconds since the Unix epoch. */
  issuedAtMs: z.int().positive(),
});

export type LeaseClaims = z.infer<typeof leaseClaimsSchema>;
