import Database from 'better-sqlite3';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../support/scratch.js';

/** What SQLite itself can do on this disk with the ledger's pragmas: a session moved and its move recorded, no more. */
export class BareLedger {
  private readonly folder = scratchFolder('bench-ledger');
  private readonly db = new Database(join(this.folder, 'bare.db'));
  private seq = 0;

  constructor() {
    for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON']) this.db.pragma(pragma);
    this.db.exec(`create table session (id text primary key, state text not null, seq integer not null);
      create table move (session_id text not null references session (id), seq integer not null, state text not null,
        at_ms integer not null, primary key (session_id, seq))`);
  }

  /** Makes `count` changes, `group` in each transaction, every transaction durable. Gives how many a second. */
  changes(count: number, group: number): number {
    const ids = Array.from({ length: count }, () => `ses-${randomBytes(10).toString('hex')}`);
    const insert = this.db.prepare('insert into session values (?, ?, 0)');
    this.db.transaction(() => {
      for (const id of ids) insert.run(id, 'active');
    })();
    const update = this.db.prepare('update session set state = ?, seq = ? where id = ?');
    const record = this.db.prepare('insert into move values (?, ?, ?, ?)');
    const move = this.db.transaction((moved: readonly string[]) => {
      for (const id of moved) {
        update.run('ending', ++this.seq, id);
        record.run(id, this.seq, 'ending', Date.now());
      }
    });
    const start = performance.now();
    for (let at = 0; at < ids.length; at += group) move(ids.slice(at, at + group));
    return (count * 1_000) / (performance.now() - start);
  }

  close(): Promise<void> {
    this.db.close();
    rmSync(this.folder, { recursive: true, force: true });
    return Promise.resolve();
  }
}
