import type { JsonValue } from '@curfew/shared';

/** Who did something. */
export type Actor =
  | {
      readonly kind: 'user';
      readonly id: string;
      readonly name: string;
      /** Of the call that they do it with; undefined for what is no call. */
      readonly requestId?: string | undefined;
    }
  | { readonly kind: 'device'; readonly id: string; readonly name: string }
  | { readonly kind: 'server' };

/** How the audit log names an actor: 'user:alice', 'device:web-1' or 'server'. */
export const actorName = (actor: Actor): string => (actor.kind === 'server' ? 'server' : `${actor.kind}:${actor.name}`);

/** The id of the call by which somebody did something; undefined for what is no user's call. */
export const requestIdOf = (actor: Actor): string | undefined => (actor.kind === 'user' ? actor.requestId : undefined);

/** One record to be: what happened, to what, by whom, and the facts of it. */
export interface AuditEntry {
  readonly type: string;
  readonly actor: Actor;
  readonly subject: string;
  readonly data?: Readonly<Record<string, JsonValue>>;
}
