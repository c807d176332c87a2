/** What `login` was given. */
export interface LoginFlags {
  readonly caFingerprint?: string;
  readonly name?: string;
  readonly passwordStdin?: boolean;
  readonly code?: string;
  readonly device?: boolean;
  readonly console?: string;
}
