/** How much is measured, and where. */
export interface BenchSettings {
  /** How many agents are linked, step by step, in the latency benchmark. */
  readonly links: readonly number[];
  /** How many devices the bulk and rate benchmarks have. */
  readonly bulk: number;
  /** How many live sessions the ledger of the list benchmark has; a tenth as many devices. */
  readonly sessions: number;
  /** How many people are given something at each of four resources of each kind of connector. */
  readonly people: number;
  /** How many sessions of resources expire at the same moment. */
  readonly expiring: number;
  /** How many processes there are to be ended, step by step. */
  readonly crowds: readonly number[];
  /** How long the agent is watched while nothing happens, twice; minutes. */
  readonly restMinutes: number;
  /** How long the server is watched at the work of a day; minutes. */
  readonly soakMinutes: number;
  /** How many former sessions each device of the growth benchmark has had, step by step. */
  readonly past: readonly number[];
  readonly runs: number;
  /** Revokes in each run of the latency benchmark. */
  readonly rounds: number;
  /** Revokes before the first that counts: the first hundreds run code that is not compiled yet. */
  readonly warmUp: number;
  /** The server's own core; undefined where programs cannot be pinned. */
  readonly serverCore?: number;
  /** The file for the server's CPU profile. A profile slows the server down: no figure of such a run counts. */
  readonly profile?: string;
}
