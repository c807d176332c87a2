/**
 * What is offered anew: under a ledger that was rolled back only what is held already. A device in conflict gets nothing,
 * for nobody knows which of the two agents holds it.
 */
export function offeredStates(deviceState: string, rolledBack: boolean): readonly string[] {
  if (deviceState !== 'enrolled') return [];
  return rolledBack ? ['active'] : ['starting', 'active'];
}
