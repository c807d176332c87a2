import { z } from 'zod';
import { ConnectorError } from '../connector.js';
import type { JsonAnswer } from '../http/json-client.js';

/** An account of GitHub. The id stays when the login is changed; a login that was given up can be taken by others. */
export const accountShape = z.object({ id: z.number().int().positive(), login: z.string().min(1), type: z.string() });
export type GithubAccount = z.infer<typeof accountShape>;

/** Membership as GitHub tells it, that of child teams included. 'pending' is an invitation that waits for an answer. */
export const membershipShape = z.object({ state: z.enum(['active', 'pending']), role: z.string() });
export type GithubMembership = z.infer<typeof membershipShape>;

export const teamShape = z.object({
  name: z.string(),
  slug: z.string(),
  members_count: z.number().int().optional(),
});
export type GithubTeam = z.infer<typeof teamShape>;

export const teamsShape = z.array(z.object({ slug: z.string() }));
export const accountsShape = z.array(accountShape);

const connectionShape = z.object({
  nodes: z.array(z.object({ databaseId: z.number().int().positive(), login: z.string() })),
  pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullish() }),
});

/** What the question for a team's own members is answered with. */
export const ownMembersShape = z.object({
  data: z
    .object({ organization: z.object({ team: z.object({ members: connectionShape }).nullish() }).nullish() })
    .nullish(),
  errors: z.array(z.object({ type: z.string().optional(), message: z.string() })).optional(),
});

/** Reads an answer. Errors: ConnectorError 'unreachable' when it is something else. */
export function read<T>(shape: z.ZodType<T>, { host, body }: JsonAnswer): T {
  const result = shape.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ConnectorError('unreachable', `${host} did not answer as GitHub does: ${issue?.path.join('.') ?? ''}`);
}
