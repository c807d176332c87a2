import { unlink } from 'node:fs/promises';
import path from 'node:path';

const TICKET_FOLDERS = ['/run/sudo/ts', '/var/run/sudo/ts', '/var/lib/sudo/ts', '/run/sudo-rs/ts'];

/**
 * Forgets a person's authentication to sudo: it outlives the right, and would serve the next one. Named by the account
 * up to sudo 1.9.14, by its uid since, as sudo-rs does. A ticket that cannot be removed ends by itself.
 */
export async function removeTickets(uid: number | null, name: string | undefined): Promise<void> {
  const tickets = [uid === null ? '' : String(uid), name ?? ''].filter((ticket) => !/^\.{0,2}$|\//.test(ticket));
  const files = TICKET_FOLDERS.flatMap((folder) => tickets.map((ticket) => path.join(folder, ticket)));
  await Promise.all(files.map((file) => unlink(file).catch(() => undefined)));
}
