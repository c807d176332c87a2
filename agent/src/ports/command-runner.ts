/** How a command ended. `exitCode` is null when a signal ended it. */
export interface CommandResult {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly stdin?: string;
  /** Default 5,000. The command is killed then, and the call fails with COMMAND_FAILED. */
  readonly timeoutMs?: number;
  /** Whose rights it has; default this process's. It is in the group of nobody then. */
  readonly asUid?: number | undefined;
}

/** Runs programs: absolute path, argument vector, no shell, an environment of LC_ALL=C alone, working directory '/'. */
export interface CommandRunner {
  /** Resolves with any exit code. Errors: COMMAND_FAILED when it cannot start or runs too long. */
  run(path: string, args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
}
