import {
  AddReleaseResponse,
  AppendReleaseResponse,
  FinishRolloutResponse,
  GetRolloutResponse,
  ListReleasesResponse,
  PauseRolloutResponse,
  RemoveReleaseResponse,
  ResumeRolloutResponse,
  StartRolloutResponse,
  type AddReleaseRequest,
  type AppendReleaseRequest,
  type RemoveReleaseRequest,
  type StartRolloutRequest,
} from '@curfew/proto';
import type { Releases } from '../../releases/releases.js';
import type { Rollouts } from '../../releases/rollouts.js';
import type { Identity } from '../authenticate.js';
import { callerOf } from '../caller-of.js';
import { releaseToProto, rolloutToProto } from '../release-to-proto.js';

export interface ReleaseHandlerParts {
  readonly releases: Releases;
  readonly rollouts: Rollouts;
}

export function releaseHandlers({ releases, rollouts }: ReleaseHandlerParts) {
  return {
    listReleases: async () =>
      ListReleasesResponse.fromPartial({ releases: (await releases.list()).map(releaseToProto) }),
    addRelease: async ({ statement }: AddReleaseRequest, identity: Identity) =>
      AddReleaseResponse.fromPartial({ release: releaseToProto(await releases.add(callerOf(identity), statement)) }),
    appendRelease: async ({ releaseId, offset, piece }: AppendReleaseRequest, identity: Identity) => {
      const release = await releases.append(callerOf(identity), releaseId, Number(offset), piece);
      return AppendReleaseResponse.fromPartial({ release: releaseToProto(release) });
    },
    removeRelease: async ({ releaseId }: RemoveReleaseRequest, identity: Identity) => {
      await releases.remove(callerOf(identity), releaseId);
      return RemoveReleaseResponse.fromPartial({});
    },
    startRollout: async (request: StartRolloutRequest, identity: Identity) =>
      StartRolloutResponse.fromPartial({ rollout: rolloutToProto(await rollouts.start(callerOf(identity), request)) }),
    pauseRollout: async (_: unknown, identity: Identity) =>
      PauseRolloutResponse.fromPartial({ rollout: rolloutToProto(await rollouts.set(callerOf(identity), 'paused')) }),
    resumeRollout: async (_: unknown, identity: Identity) =>
      ResumeRolloutResponse.fromPartial({ rollout: rolloutToProto(await rollouts.set(callerOf(identity), 'running')) }),
    finishRollout: async (_: unknown, identity: Identity) =>
      FinishRolloutResponse.fromPartial({
        rollout: rolloutToProto(await rollouts.set(callerOf(identity), 'finished')),
      }),
    getRollout: async () => GetRolloutResponse.fromPartial({ rollout: rolloutToProto(await rollouts.newest()) }),
  };
}
