import type { ContractCase } from './contract-case.js';

const NONE = 'rel-00000000000000000000';

/** Releases of the agent, where there are none. What there is to be done with some is in test/integration. */
export const RELEASE_CASES: readonly ContractCase[] = [
  { name: 'no releases', as: 'erin', method: 'ReleaseService/ListReleases', has: [] },
  {
    name: 'a release that is none',
    as: 'alice',
    method: 'ReleaseService/AddRelease',
    request: { statement: 'x' },
    refused: 'RELEASE_MALFORMED',
  },
  {
    name: 'a release by a viewer',
    as: 'erin',
    method: 'ReleaseService/AddRelease',
    request: { statement: 'x' },
    refused: 'METHOD_NOT_ALLOWED',
  },
  {
    name: 'a piece of no release',
    as: 'alice',
    method: 'ReleaseService/AppendRelease',
    request: { releaseId: NONE, piece: 'eA==' },
    refused: 'RELEASE_NOT_FOUND',
  },
  {
    name: 'removing no release',
    as: 'alice',
    method: 'ReleaseService/RemoveRelease',
    request: { releaseId: NONE },
    refused: 'RELEASE_NOT_FOUND',
  },
  {
    name: 'a rollout of no release',
    as: 'alice',
    method: 'ReleaseService/StartRollout',
    request: { version: '1.2.3', percent: 10 },
    refused: 'RELEASE_NOT_FOUND',
  },
  ...(['PauseRollout', 'ResumeRollout', 'FinishRollout'] as const).map((name): ContractCase => ({
    name: `${name} without a rollout`,
    as: 'alice',
    method: `ReleaseService/${name}`,
    refused: 'ROLLOUT_NOT_FOUND',
  })),
  { name: 'no rollout', as: 'erin', method: 'ReleaseService/GetRollout', refused: 'ROLLOUT_NOT_FOUND' },
];
