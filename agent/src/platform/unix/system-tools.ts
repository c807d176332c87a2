import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** The absolute path of one of the system's programs, or undefined when it is not installed. */
export type ToolPath = (name: string) => string | undefined;

/**
 * Where systems keep their own programs, folders that only root writes to: the last two are NixOS's, which has no others.
 * /usr/local is left out: on Debian a group may write there.
 */
export const SYSTEM_PLACES = [
  '/usr/bin',
  '/usr/sbin',
  '/bin',
  '/sbin',
  '/run/wrappers/bin',
  '/run/current-system/sw/bin',
];

/** Looks for a program in the system's own places, never in PATH. */
export const systemTool: ToolPath = (name) => SYSTEM_PLACES.map((place) => path.join(place, name)).find(isExecutable);

/** The same for a program that is run whether it is there or not: what fails then names it. */
export const systemProgram = (name: string): string => systemTool(name) ?? `/usr/bin/${name}`;

function isExecutable(program: string): boolean {
  try {
    accessSync(program, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
