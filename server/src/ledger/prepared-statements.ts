import type Database from 'better-sqlite3';
import type { SqliteDatabase, SqliteStatement } from 'kysely';

/** How many statements are kept. The program has about two hundred; the rest are lists of other lengths. */
const KEPT = 500;
/** Longer texts hold lists of values that hardly come again in the same length. */
const LONGEST_KEPT = 4_000;

/** A database for Kysely that prepares each statement once: preparing takes longer than running most of them. */
export class PreparedStatements implements SqliteDatabase {
  private readonly kept = new Map<string, SqliteStatement>();

  constructor(private readonly database: Database.Database) {}

  prepare(text: string): SqliteStatement {
    const known = this.kept.get(text);
    if (known !== undefined) return known;
    const statement = this.database.prepare(text) as unknown as SqliteStatement;
    if (text.length <= LONGEST_KEPT) {
      // The oldest goes; if it was in use, it is prepared once more.
      const [oldest] = this.kept.keys();
      if (this.kept.size >= KEPT && oldest !== undefined) this.kept.delete(oldest);
      this.kept.set(text, statement);
    }
    return statement;
  }

  close(): void {
    this.database.close();
  }
}
