import type { Logger } from '@curfew/shared';
import { statfsSync } from 'node:fs';
import type { SecretStore } from '../pki/secret-store.js';
import { SecretBox } from '../secrets/secret-box.js';
import { RecordingSeal } from './recording-seal.js';
import type { RecordingStore } from './recording-store.js';
import { recordingsFile } from './recordings-file.js';
import { Recordings } from './recordings.js';
import { SqliteRecordings } from './sqlite-recordings.js';
import type { UseCaseContext } from '../use-case-context.js';
import { sweepRecordings } from './sweep-recordings.js';
import { UNAVAILABLE_RECORDINGS } from './unavailable-recordings.js';

/** How recordings are kept. */
export interface RecordingSettings {
  /** How long after the end of their session, where its policy does not say. */
  readonly keepMs: number;
  /** The most bytes of events that one may have. */
  readonly longest: number;
  /** How many bytes of the disk are left to others. */
  readonly leaveFree: number;
}

export interface OpenRecordingsParts {
  readonly context: UseCaseContext;
  readonly config: { readonly dataDir: string; readonly recordings: RecordingSettings };
  readonly files: SecretStore;
  readonly logger: Logger;
}

/** Recordings with the work on them. */
export interface OpenRecordings {
  readonly recordings: Recordings;
  /** Deletes what is kept no longer. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the recordings. When they cannot be, the server works without them and says so. */
export async function openRecordings(parts: OpenRecordingsParts): Promise<OpenRecordings> {
  const { context, config } = parts;
  const { keepMs } = config.recordings;
  const store = await openStore(parts);
  return {
    recordings: new Recordings(context, store, keepMs),
    sweep: () => sweepRecordings(context, store, keepMs),
    close: () => store.close(),
  };
}

async function openStore({ context, config, files, logger }: OpenRecordingsParts): Promise<RecordingStore> {
  const { clock, random } = context;
  const { dataDir, recordings: settings } = config;
  const key = (await SecretBox.open(files, random)).deriveKey('curfew recordings');
  try {
    return SqliteRecordings.open({
      file: recordingsFile(dataDir),
      seal: new RecordingSeal(key, random),
      clock,
      logger,
      longest: settings.longest,
      isFull: () => {
        const { bavail, bsize } = statfsSync(dataDir);
        return bavail * bsize < settings.leaveFree;
      },
    });
  } catch (error) {
    logger.error('recordings cannot be opened; nothing is recorded until that is put right', { error });
    return UNAVAILABLE_RECORDINGS;
  }
}
