/** What `resources apply` was given. */
export interface ApplyResourcesFlags {
  readonly file: string;
  readonly dryRun?: boolean;
}

/** What `resources try` was given. */
export interface TryFlags {
  readonly user?: string;
}
