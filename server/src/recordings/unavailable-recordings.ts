import { CurfewError } from '@curfew/shared';
import type { RecordingStore } from './recording-store.js';

const refuse = (): Promise<never> => Promise.reject(new CurfewError('RECORDINGS_UNAVAILABLE'));

/** What stands for recordings that cannot be opened: everything else on the server works. */
export const UNAVAILABLE_RECORDINGS: RecordingStore = {
  append: refuse,
  get: refuse,
  findId: refuse,
  list: refuse,
  count: refuse,
  read: refuse,
  cut: refuse,
  toCut: refuse,
  openDevices: refuse,
  endOpenOf: refuse,
  openSessions: refuse,
  noteEnded: refuse,
  due: refuse,
  deleteDue: refuse,
  onChange: () => () => undefined,
  close: () => Promise.resolve(),
};
