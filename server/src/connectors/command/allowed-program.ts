import type { Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { ConnectorError } from '../connector.js';

/** Writable by the group or by everybody (stat(2)). */
const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;
const ANYBODY_EXECUTES = 0o111;

/**
 * The true path of a program that may be run: below the folder when every link is followed, and such that only root and
 * the server's own user can have put it there. Errors: ConnectorError 'refused' for one that may not, 'unreachable' for
 * one that is not there.
 */
export async function allowedProgram(folder: string, program: string): Promise<string> {
  if (folder === '') throw refused('the option timed_access.command_folder allows no programs');
  const file = await found(program);
  if (!file.startsWith(`${await found(folder)}${path.sep}`)) throw refused(`${program} is not in the folder ${folder}`);
  for (let place = file; place !== path.dirname(place); place = path.dirname(place))
    checkOwner(place, await stat(place));
  const stats = await stat(file);
  if (!stats.isFile() || (stats.mode & ANYBODY_EXECUTES) === 0) throw refused(`${program} is no program`);
  return file;
}

function checkOwner(place: string, stats: Stats): void {
  if (stats.uid !== 0 && stats.uid !== process.getuid?.()) throw refused(`${place} belongs to somebody else`);
  // What is in a folder with the sticky bit can be replaced by its owner only.
  const kept = stats.isDirectory() && (stats.mode & STICKY) !== 0;
  if ((stats.mode & OTHERS_WRITE) !== 0 && !kept) throw refused(`${place} can be changed by others than its owner`);
}

async function found(place: string): Promise<string> {
  try {
    return await realpath(place);
  } catch (cause) {
    throw new ConnectorError('unreachable', `${place} is not there`, undefined, { cause });
  }
}

const refused = (message: string): ConnectorError => new ConnectorError('refused', message);
