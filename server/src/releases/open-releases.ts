import path from 'node:path';
import type { UseCaseContext } from '../use-case-context.js';
import { ReleaseFiles } from './release-files.js';
import { ReleaseOffers } from './release-offers.js';
import { Releases } from './releases.js';
import { Rollouts } from './rollouts.js';

/** Everything about releases of the agent, with their archives in the server's data folder. */
export function openReleases(context: UseCaseContext, dataDir: string) {
  return {
    releases: new Releases(context, new ReleaseFiles(path.join(dataDir, 'releases'))),
    rollouts: new Rollouts(context),
    offers: new ReleaseOffers(context.ledger),
  };
}

export type OpenReleases = ReturnType<typeof openReleases>;
