import type { UpdateStatusJson } from '../gen/api.js';
import { wordFromProto } from './proto-json.js';

/** How far a device may have come with a release of the agent. */
const STATES = ['fetching', 'waiting', 'trying', 'installed', 'refused', 'rolled_back', 'missing'] as const;

const NAMES: Readonly<Record<(typeof STATES)[number], string>> = {
  fetching: 'is being fetched',
  waiting: 'waits until nothing is recorded',
  trying: 'is on trial',
  installed: 'is installed',
  refused: 'was refused',
  rolled_back: 'was given up',
  missing: 'was to be tried, and the device was not heard since',
};

/** What became of the newest release that a device was offered, in a line of hostile text; undefined when there is nothing to say. */
export function updateText(update: UpdateStatusJson | undefined): string | undefined {
  const state = wordFromProto(STATES, 'UPDATE_STATE_', update?.state);
  if (update === undefined || state === undefined) return undefined;
  const why = [update.code, update.detail].filter((text) => text !== undefined && text !== '').join(': ');
  return `${update.version ?? ''} ${NAMES[state]}${why === '' ? '' : `: ${why}`}`;
}
