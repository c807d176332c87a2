/** What `resources apply` was given. */
export interface ApplyResourcesFlags {
  readonly file: string;
  readonly dryRun?: boolean;
}

/** What `resources try` was given. */
export interface TryFlags {
  readonly user?: string;
}

/** What settles a difference. */
export interface DriftFlags {
  readonly reason: string;
}
