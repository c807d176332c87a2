import { durationMs, SECOND, sleep, type Clock, type Logger } from '@curfew/shared';
import type { ProcessRow, ProcessTable, SessionCgroups } from '../ports/process-table.js';
import { endProcesses } from './end-processes.js';
import type { ProcessFolder } from './process-folder.js';
import { processKey, sessionMembers, type FollowedSession } from './session-members.js';

/** sudo, called by somebody, before it runs anything. */
export interface CalledSudo extends Pick<ProcessRow, 'pid' | 'start'> {
  /** Who called it. */
  readonly uid: number;
}

/** Whether a sudo may go on, and the session that it is in. */
export type Admission =
  | { readonly admitted: false }
  /** No session: what it does is no matter of ours. */
  | { readonly admitted: true; readonly session?: FollowedSession };

export interface FollowerParts {
  readonly folder: ProcessFolder;
  readonly table: ProcessTable;
  readonly cgroups: SessionCgroups;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where this machine's sudo is. */
  readonly sudo: string;
  /** Processes that are not to be ended. */
  readonly spared: ReadonlySet<number>;
  /** Called with each look, for what else is to be looked at. */
  readonly looked: () => Promise<void>;
}

interface Entry {
  readonly session: FollowedSession;
  /** The control groups that were made for it. */
  readonly folders: Set<string>;
  /** Members that were seen, where there is no control group to hold them. */
  readonly known: Set<string>;
  /** Whether a process of it could not be put into a control group. */
  scattered: boolean;
  /** Its processes are being ended, or have been. */
  ending?: Promise<void>;
}

/** How often it is looked, beside when something changes. */
const LOOK = SECOND;
/** How long after the end of a session a sudo can still come that read the rule before it was removed. */
const LATECOMERS = durationMs(15 * SECOND);

/**
 * Follows the processes of sessions: each sudo into the session's control group before it runs anything, and when the session
 * is over, all of them to their end. Needs neither the agent nor a network; started anew, it goes on from its notes.
 */
export class Follower {
  private readonly entries = new Map<string, Entry>();
  /** Processes that are not ended, see `EndingParts`; remembered, for the folder goes before they do. */
  private readonly exempt = new Set<string>();
  private looking: Promise<boolean> | undefined;

  constructor(private readonly parts: FollowerParts) {}

  /** Takes up what an earlier process has noted, then goes on until the folder is gone. Resolves then, all being ended. */
  async run(): Promise<void> {
    for (const { folders, ...session } of await this.parts.folder.notes())
      this.entries.set(session.sessionId, { session, folders: new Set(folders), known: new Set(), scattered: true });
    while (await this.look()) {
      await this.parts.looked();
      await sleep(this.parts.clock, LOOK);
    }
    await Promise.all([...this.entries.values()].flatMap(({ ending }) => ending ?? []));
  }

  /** Whether no session is being ended, nor has been a moment ago: another process could take up the rest from the notes. */
  get rests(): boolean {
    return [...this.entries.values()].every(({ ending }) => ending === undefined);
  }

  /** Looks which sessions there are: begins with new ones, ends those that are over. Gives whether the folder is there. */
  look(): Promise<boolean> {
    // One that began before the change would not see it: the next one does.
    const next = (this.looking ?? Promise.resolve(true)).then(() => this.lookNow());
    this.looking = next;
    return next;
  }

  /**
   * Takes a sudo that waits to be let go. Gives whether it may: not when its session is over, then it is killed. `still` says
   * whether it is that very process.
   */
  async admit(sudo: CalledSudo, still: () => boolean): Promise<Admission> {
    await this.look();
    const own = [...this.entries.values()].filter(({ session }) => session.uid === sudo.uid);
    // Of several rules for one account the last one counts, and they are named by their session.
    const live = own
      .filter(({ ending }) => ending === undefined)
      .sort((a, b) => (a.session.sessionId < b.session.sessionId ? 1 : -1))[0];
    if (live === undefined) {
      // Of those that keep what runs, the newest one: its rule is what sudo has read.
      const [last] = own.sort((a, b) => (a.session.sessionId < b.session.sessionId ? 1 : -1));
      if (own.every(({ session }) => session.keep))
        return { admitted: true, ...(last !== undefined && { session: last.session }) };
      this.parts.table.signal(sudo, 'SIGKILL');
      return { admitted: false };
    }
    await this.place(live, sudo, still).catch((error: unknown) => {
      // What cannot be followed goes on all the same: the right is not ours to take here.
      this.parts.logger.error('a sudo could not be followed', { pid: sudo.pid, error });
    });
    return { admitted: true, session: live.session };
  }

  private async place(live: Entry, sudo: CalledSudo, still: () => boolean): Promise<void> {
    const folder = this.parts.cgroups.place(sudo.pid, live.session.sessionId, still);
    live.scattered ||= folder === undefined;
    if (folder !== undefined && !live.folders.has(folder)) {
      live.folders.add(folder);
      await this.note(live);
    }
  }

  private async lookNow(): Promise<boolean> {
    const { folder, logger } = this.parts;
    await this.noteExempt();
    // Before those that are live: what begins meanwhile is not over.
    const begun = await folder.newSessions();
    const sessions = await folder.sessions();
    for (const session of sessions ?? []) {
      const before = this.entries.get(session.sessionId);
      // One that is offered again is a new one, after the end of what there was.
      if (before === undefined || before.ending !== undefined) await this.begin(session, before);
    }
    for (const session of begun) {
      const before = this.entries.get(session.sessionId);
      if (before?.session.since !== session.since) await this.begin(session, before);
      await folder.dropNew(session.sessionId);
    }
    const live = new Set(sessions?.map(({ sessionId }) => sessionId));
    for (const [id, entry] of this.entries) {
      if (live.has(id)) this.remember(entry);
      else
        entry.ending ??= this.end(entry).catch((error: unknown) => {
          logger.error('the processes of a session could not be ended', { sessionId: id, error });
        });
    }
    return sessions !== undefined;
  }

  private async begin(session: FollowedSession, before: Entry | undefined): Promise<void> {
    await before?.ending;
    const entry = { session, folders: new Set<string>(), known: new Set<string>(), scattered: false };
    this.entries.set(session.sessionId, entry);
    await this.note(entry);
  }

  /** Without a control group a process can leave no trace but that it was seen with its parent. */
  private remember({ session, known, scattered }: Entry): void {
    if (!scattered) return;
    const { own } = sessionMembers(session, this.parts.table.startedSince(session.since), known, this.parts.sudo);
    known.clear();
    for (const row of own) known.add(processKey(row));
  }

  private async end(entry: Entry): Promise<void> {
    const { folder, cgroups, clock, logger } = this.parts;
    const { session, known, folders } = entry;
    await this.noteExempt();
    const outcome = await endProcesses(session, known, [...folders], { ...this.parts, exempt: this.exempt });
    for (const made of folders) cgroups.remove(made);
    logger.info('processes of a session', { sessionId: session.sessionId, ...outcome });
    await folder.report({ sessionId: session.sessionId, ...outcome }).catch(() => undefined);
    clock.after(LATECOMERS, () => {
      if (this.entries.get(session.sessionId) === entry) this.entries.delete(session.sessionId);
    });
  }

  private async noteExempt(): Promise<void> {
    for (const key of await this.parts.folder.exempted()) this.exempt.add(key);
  }

  private async note({ session, folders }: Entry): Promise<void> {
    await this.parts.folder.note({ ...session, folders: [...folders] }).catch((error: unknown) => {
      this.parts.logger.warn('a session could not be noted', { sessionId: session.sessionId, error });
    });
  }
}
