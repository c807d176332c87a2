import { statfsSync, statSync } from 'node:fs';
import path from 'node:path';
// eslint-disable-next-line no-restricted-imports -- it watches the thread itself; nothing waits for it or goes by it
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Sample } from './prometheus.js';

/** How often the thread is looked at: the system wakes it for that. */
const RESOLUTION_MS = 50;
const NANOSECONDS = 1e9;
const SQLITE_FILES = ['', '-wal', '-shm'];

/** What the process is and has. It watches its thread from the beginning until it is closed. */
export class ProcessSamples {
  private readonly delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor(
    private readonly dataDir: string,
    private readonly version: string,
  ) {
    this.delay.enable();
  }

  /** As of now; the longest delay is the one since the last time. */
  read(): Sample[] {
    const { user, system } = process.cpuUsage();
    // A timer that comes just in time is counted with its own interval.
    const longest = Math.max(0, this.delay.max / NANOSECONDS - RESOLUTION_MS / 1_000);
    this.delay.reset();
    const { bavail, bsize } = statfsSync(this.dataDir);
    return [
      { name: 'curfew_build_info', labels: { version: this.version, node: process.versions.node }, value: 1 },
      { name: 'curfew_event_loop_busy_seconds_total', value: performance.eventLoopUtilization().active / 1_000 },
      { name: 'curfew_event_loop_delay_seconds', value: longest },
      { name: 'process_cpu_seconds_total', value: (user + system) / 1e6 },
      { name: 'process_resident_memory_bytes', value: process.memoryUsage.rss() },
      { name: 'process_start_time_seconds', value: performance.timeOrigin / 1_000 },
      { name: 'curfew_ledger_bytes', value: this.sizeOf('ledger.db') },
      { name: 'curfew_recordings_bytes', value: this.sizeOf('recordings.db') },
      { name: 'curfew_disk_free_bytes', value: bavail * bsize },
    ];
  }

  close(): void {
    this.delay.disable();
  }

  private sizeOf(file: string): number {
    const sizes = SQLITE_FILES.map(
      (suffix) => statSync(path.join(this.dataDir, file + suffix), { throwIfNoEntry: false })?.size ?? 0,
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  }
}
