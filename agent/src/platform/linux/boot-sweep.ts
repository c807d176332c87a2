/** What takes away, before anyone can log in, what an earlier boot has left of rights that last over a reboot. */
export interface BootSweep {
  /** Sees that it runs at the next boot, for good; does nothing when it is there. */
  install(): Promise<void>;
  /** Whether a file is part of it, as it was put there. */
  owns(file: string): Promise<boolean>;
  uninstall(): Promise<void>;
}

/** What a sweep runs. It needs nothing of the agent but that script and the folder that it is in. */
export interface SweepJob {
  /** What it takes away, in words: 'temporary group memberships'. */
  readonly what: string;
  readonly script: string;
  /** The script's arguments; plain characters only. */
  readonly args: readonly string[];
}
