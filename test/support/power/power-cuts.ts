/** How often the power is cut: CURFEW_POWER_CUTS, else a few times, and often where all faults are asked for. */
export const powerCuts = (): number =>
  Number(process.env['CURFEW_POWER_CUTS'] ?? (process.env['CURFEW_FAULTS'] === 'all' ? 100 : 2));
