import type { AgentState, EndedRecord, GrantRecord } from '../ports/state-file.js';

/** Puts a right's next record in the place of the one that is there; nothing happens when it is there no longer. */
export const replaceGrant = (state: AgentState, old: GrantRecord, next: GrantRecord): AgentState => ({
  ...state,
  grants: state.grants.map((grant) => (grant === old ? next : grant)),
});

export const withoutGrant = (state: AgentState, id: string): AgentState => ({
  ...state,
  grants: state.grants.filter(({ sessionId }) => sessionId !== id),
});

/** Adds an end, in the place of an earlier one of the same session. */
export const withEnded = (state: AgentState, ended: EndedRecord): AgentState => ({
  ...state,
  ended: [...state.ended.filter(({ sessionId }) => sessionId !== ended.sessionId), ended],
});
