import { framesOf } from './frames.js';
import type { FuzzTarget } from './target.js';

/** More would only take longer. */
const MOST_MESSAGES = 8;

/** What a device's agent hears on its link, from servers of all kinds. */
export const desiredStates: FuzzTarget = {
  name: 'desired-states',
  modules: ['/agent/dist/link/', '/agent/dist/grants/', '/agent/dist/core/', '/proto/dist/gen/curfew/agent/v1/link'],
  more: 500,
  seeds: async () => (await import('./device-stage.js')).whatServersSay(),
  open: async () => {
    const { DeviceStage, whatServersSay } = await import('./device-stage.js');
    // What is genuine is known when it has been signed.
    await whatServersSay();
    return async (input) => {
      const stage = await DeviceStage.start();
      for (const frame of framesOf(input).slice(0, MOST_MESSAGES)) if (!(await stage.take(frame))) break;
      return stage.hasTaken;
    };
  },
};
