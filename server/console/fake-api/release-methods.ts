import type { RolloutJson } from '../src/gen/api.js';
import type { CallHandlers } from './handlers.js';
import { fieldInvalid, refuse } from './refusal.js';

/** The API in memory takes no releases: nothing in the console shows them. */
const noRollout = (): { rollout: RolloutJson } => {
  throw refuse('ROLLOUT_NOT_FOUND');
};

/** Releases of the agent. */
export const releaseMethods: Pick<
  CallHandlers,
  | 'ReleaseService/ListReleases'
  | 'ReleaseService/AddRelease'
  | 'ReleaseService/AppendRelease'
  | 'ReleaseService/RemoveRelease'
  | 'ReleaseService/StartRollout'
  | 'ReleaseService/PauseRollout'
  | 'ReleaseService/ResumeRollout'
  | 'ReleaseService/FinishRollout'
  | 'ReleaseService/GetRollout'
> = {
  'ReleaseService/ListReleases': () => ({}),
  'ReleaseService/AddRelease': (_world, _caller, { statement }) => {
    if ((statement ?? '') === '') throw fieldInvalid('statement', 'must not be empty');
    throw refuse('RELEASE_MALFORMED', { problem: 'it is not a signed JSON object' });
  },
  'ReleaseService/AppendRelease': (_world, _caller, { releaseId }) => {
    throw refuse('RELEASE_NOT_FOUND', { given: releaseId ?? '' });
  },
  'ReleaseService/RemoveRelease': (_world, _caller, { releaseId }) => {
    throw refuse('RELEASE_NOT_FOUND', { given: releaseId ?? '' });
  },
  'ReleaseService/StartRollout': (_world, _caller, { version }) => {
    throw refuse('RELEASE_NOT_FOUND', { given: version ?? '' });
  },
  'ReleaseService/PauseRollout': noRollout,
  'ReleaseService/ResumeRollout': noRollout,
  'ReleaseService/FinishRollout': noRollout,
  'ReleaseService/GetRollout': noRollout,
};
