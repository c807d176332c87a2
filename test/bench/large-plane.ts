import Database from 'better-sqlite3';
import { readFileSync } from 'node:fs';
import { ControlPlane } from '../support/control-plane.js';
import { fillLedger } from '../support/large-ledger.js';
import { pin } from './fleet.js';
import { Operator } from './operator.js';
import type { BenchSettings } from './settings.js';

/** A real server on a ledger that was filled while it did not run, an operator, and the same file for reading. */
export class LargePlane {
  private constructor(
    readonly plane: ControlPlane,
    readonly operator: Operator,
    readonly db: Database.Database,
  ) {}

  /** Ten live sessions for each device and each user; one token may hold `watches` streams open. */
  static async start(settings: BenchSettings, watches: number): Promise<LargePlane> {
    const plane = await ControlPlane.start({ CURFEW_LIMITS_WATCHES_PER_TOKEN: String(watches) });
    try {
      await plane.stop();
      const { sessions } = settings;
      const size = { users: Math.ceil(sessions / 10), devices: Math.ceil(sessions / 10), live: sessions, ended: 0 };
      fillLedger(plane.ledgerFile, size, Date.now());
      await plane.run();
      pin(plane.pid, settings.serverCore);
      const operator = new Operator(plane.address, readFileSync(plane.caFile), plane.ownerToken);
      return new LargePlane(plane, operator, new Database(plane.ledgerFile, { readonly: true }));
    } catch (error) {
      await plane.dispose();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.db.close();
    this.operator.close();
    await this.plane.dispose();
  }
}
