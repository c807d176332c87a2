/** What `rollouts start` is told. */
export interface RolloutFlags {
  readonly percent?: number;
  readonly device?: readonly string[];
}
