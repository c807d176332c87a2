import type { Change } from '../ledger/ledger.js';

/** What is known of links to other servers on the same ledger. */
export interface LinkPresence {
  /** Whether the link is up at another server. */
  isElsewhere(deviceId: string): boolean;
  /** The devices that other servers hold. */
  readonly elsewhere: Iterable<string>;
  /** When this server has seen that another one holds the link no more; undefined when it has not. */
  lostElsewhereAt(deviceId: string): number | undefined;
  /**
   * Notes that this server holds the link now. Gives the agent's process that another server held it for until now, if
   * any; undefined at once where there is only one server.
   */
  join(deviceId: string, instance: string): Promise<string | undefined> | undefined;
  /** Notes that this server holds it no more. */
  leave(deviceId: string): Promise<void> | undefined;
  /**
   * Begins to follow the others. `held` gives the process of the agent by each device that is linked here; `taken` is
   * called when another server has taken a link over, with the process that it is with now.
   */
  start(held: () => ReadonlyMap<string, string>, taken: (deviceId: string, instance: string) => void): Promise<void>;
  stop(): Promise<void>;
}

/** The only server of its ledger. */
export const ALONE: LinkPresence = {
  isElsewhere: () => false,
  elsewhere: [],
  lostElsewhereAt: () => undefined,
  join: () => undefined,
  leave: () => undefined,
  start: () => Promise.resolve(),
  stop: () => Promise.resolve(),
};

/** The devices that a list of changes may be about; undefined when it may be all. */
export function devicesOf(changes: readonly Change[]): Set<string> | undefined {
  const ids = new Set<string>();
  for (const { kind, id } of changes) {
    if (kind === 'ledger' && id === '') return undefined;
    if (kind === 'device') ids.add(id);
  }
  return ids;
}
