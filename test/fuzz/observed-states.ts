import { framesOf } from './frames.js';
import type { FuzzTarget } from './target.js';

/** More would only take longer. */
const MOST_MESSAGES = 6;

/** What a server hears of devices, as devices in strange hands could say it. */
export const observedStates: FuzzTarget = {
  name: 'observed-states',
  modules: ['/server/dist/link/', '/server/dist/sessions/', '/server/dist/devices/', '/server/dist/rpc/request-rules'],
  more: 150,
  seeds: async () => (await import('./server-stage.js')).whatDevicesSay(),
  open: async () => {
    const { ServerStage } = await import('./server-stage.js');
    const stage = await ServerStage.open();
    const read = (input: Buffer): Promise<boolean> => stage.hear(framesOf(input).slice(0, MOST_MESSAGES));
    return Object.assign(read, { finish: () => stage.close() });
  },
};
