import { sessionCan } from '@curfew/shared/browser';
import { roleRefusal, type Role } from '../../api/method-roles.js';
import type { SessionView } from '../../model/session.js';

/** Why the person cannot revoke the session, in a sentence; undefined when they can. */
export function revokeRefusal(role: Role, session: SessionView): string | undefined {
  const refusal = roleRefusal(role, 'SessionService/RevokeSessions');
  if (refusal !== undefined) return refusal;
  if (sessionCan.revoke(session.state)) return undefined;
  return session.state === 'ended' ? 'It has ended.' : 'Its end is decided already.';
}

/** Why the person cannot lengthen the session, in a sentence; undefined when they can. */
export function extendRefusal(role: Role, userId: string, session: SessionView): string | undefined {
  const refusal = roleRefusal(role, 'SessionService/ExtendSession');
  if (refusal !== undefined) return refusal;
  if (!sessionCan.extend(session.state))
    return session.state === 'ended' ? 'It has ended.' : 'Its end is decided already.';
  if (session.notExtendableReason !== '') return session.notExtendableReason;
  return session.userId === userId ? 'Nobody lengthens their own session; ask another approver.' : undefined;
}
