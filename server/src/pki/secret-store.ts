/** Where the server's own secrets are: its keys, never anybody's password. */
export interface SecretStore {
  /** What is kept under a name, made first when there is nothing. All who make it at a time get the same. */
  readOrMake(name: string, make: () => string | Promise<string>): Promise<string>;
  /** What is kept there now, which another server may have changed; undefined when nothing is. */
  newest(name: string): Promise<string | undefined>;
  /** Replaces it. What it has resolved survives a power cut. Errors: STORAGE_FAILED when another has just done so. */
  write(name: string, text: string): void | Promise<void>;
}
