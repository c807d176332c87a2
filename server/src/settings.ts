/** What the use cases need of the configuration. Durations in milliseconds. */
export interface Settings {
  readonly maxSessionMs: number;
  readonly decideWithinMs: number;
  readonly startWithinMs: number;
  readonly passwordRequired: boolean;
  readonly linkAccounts: 'by_name' | 'manual';
}
