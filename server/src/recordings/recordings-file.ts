import path from 'node:path';

/** The file of the recordings, beside the ledger. */
export const recordingsFile = (dataDir: string): string => path.join(dataDir, 'recordings.db');

/** What a copy of the recordings is known by. */
export const RECORDINGS = { what: 'database of recordings', probe: 'select max(size) from recording' } as const;
