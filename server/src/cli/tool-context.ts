import type { Command } from 'commander';
import type { Terminal } from '@curfew/shared/cli';

/** What curfewctl may use of the world around it. */
export interface ToolContext extends Terminal {
  readonly stdin: NodeJS.ReadStream;
  /** The person's home folder. */
  readonly home: string;
  readonly version: string;
}

/** The flags that every command takes, on whichever side of its name they were typed. */
export interface GlobalFlags {
  readonly server?: string;
  readonly token?: string;
  readonly ca?: string;
}

/** Reads the flags that belong to the program as a whole. */
export function globalFlags(command: Command): GlobalFlags {
  let top = command;
  while (top.parent !== null) top = top.parent;
  return top.opts<GlobalFlags>();
}
