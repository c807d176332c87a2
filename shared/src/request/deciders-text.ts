/** One round of a decision; nobody named means every approver. */
interface DecisionStep {
  readonly users?: readonly string[];
  readonly groups?: readonly string[];
  readonly approvals?: number;
}

/** Who decides, in words: 'any approver', 'alice, or somebody of the group on-call', '2 of: bob, group security'. Hostile text. */
export function decidersText(steps: readonly DecisionStep[]): string {
  if (steps.length === 0) return 'any approver';
  return steps
    .map(({ users = [], groups = [], approvals = 1 }) => {
      const many = Math.max(1, approvals);
      if (users.length === 0 && groups.length === 0) return many === 1 ? 'any approver' : `${many} approvers`;
      const named = [...users, ...groups.map((group) => `somebody of the group ${group}`)].join(', or ');
      return many === 1 ? named : `${many} of: ${[...users, ...groups.map((group) => `group ${group}`)].join(', ')}`;
    })
    .join(', then ');
}
