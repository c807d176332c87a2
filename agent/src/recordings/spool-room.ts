import type { SpoolFolder } from './spool-folder.js';

/**
 * How much of the room for recordings is used. Bytes are promised before they are written, so that those who write at the same
 * time stay within the bound together.
 */
export class SpoolRoom {
  private used = 0;
  private promised = 0;
  /** What was written while it was being counted: perhaps it was seen, perhaps not. */
  private writtenMeanwhile = 0;
  private counting: Promise<void> | undefined;
  /** Kept free for what must be said when nothing else has room: what was lost, and how commands have ended. */
  private readonly reserve: number;

  constructor(
    private readonly folder: SpoolFolder,
    private readonly limit: number,
  ) {
    this.reserve = Math.min(1024 * 1024, limit / 8);
  }

  /** Promises room, if there is any; the `last` word of a recording may use what is kept free. */
  async take(bytes: number, last?: 'last'): Promise<boolean> {
    if (!this.fits(bytes, last)) await this.count();
    if (!this.fits(bytes, last)) return false;
    this.promised += bytes;
    return true;
  }

  /** Whether there is room, which nobody is promised. */
  async has(bytes: number): Promise<boolean> {
    if (!this.fits(bytes)) await this.count();
    return this.fits(bytes);
  }

  /** What was promised is written, or (`false`) will not be. */
  settle(bytes: number, isWritten: boolean): void {
    this.promised -= bytes;
    if (!isWritten) return;
    this.used += bytes;
    this.writtenMeanwhile += bytes;
  }

  /** Counts what there is: what was taken away meanwhile is seen only by looking. Those who wait look together. */
  count(): Promise<void> {
    this.counting ??= this.countNow().finally(() => (this.counting = undefined));
    return this.counting;
  }

  private fits(bytes: number, last?: 'last'): boolean {
    return this.used + this.promised + bytes <= this.limit - (last === undefined ? this.reserve : 0);
  }

  private async countNow(): Promise<void> {
    this.writtenMeanwhile = 0;
    const sizes = await Promise.all((await this.folder.ids()).map((id) => this.folder.size(id)));
    this.used = sizes.reduce((sum, size) => sum + size, 0) + this.writtenMeanwhile;
  }
}
