import { ConnectRequest, ConnectResponse, EndReason } from '@curfew/proto';
import { BareServer } from './bare-server.js';
import { during } from './during.js';
import { Fleet, spread } from './fleet.js';
import { ratio, single, type Outcome } from './outcome.js';
import type { BenchSettings } from './settings.js';
import { timed } from './statistics.js';

/** How many callers give sessions at the same time, before the measurement. */
const CALLERS = 64;

/** What the bare server sends to each link, and what it gets back: as large as the real messages. */
const STATE = { generation: 100n, incarnation: 1n, revokedEpoch: 100n };
const NOTICE = { sessionId: `ses-${'x'.repeat(20)}`, reason: EndReason.REVOKED, endedBy: 'owner', detail: 'benchmark' };
const DESIRED = ConnectResponse.fromPartial({
  message: { $case: 'desired', value: { ...STATE, endNotices: [NOTICE] } },
});
const OBSERVED = ConnectRequest.fromPartial({
  message: { $case: 'observed', value: { generation: 100n, incarnation: 1n } },
});
const DOWN = Buffer.from(ConnectResponse.encode(DESIRED).finish());
const UP = Buffer.from(ConnectRequest.encode(OBSERVED).finish());

/**
 * B2: one revoke of everything until the last device is effective, in turn with a bare fan-out: the same devices, over
 * links of their own to a server that writes one message to each, waits for every answer, and does nothing else.
 */
export const bulkRevoke = (settings: BenchSettings): Promise<Outcome> =>
  during(Fleet.start(settings), (fleet) =>
    during(BareServer.start(fleet.plane.folder, settings.serverCore), async (bare) => {
      const { bulk } = settings;
      await fleet.grow(bulk);
      await bare.links.know(fleet.devices.map(({ identity }) => identity));
      await bare.links.link(UP, CALLERS);
      const [ours, fanOuts]: [number[], number[]] = [[], []];
      // The first run only warms up.
      for (let run = -1; run < settings.runs; run++) {
        await spread(fleet.devices, CALLERS, async ({ id }) => {
          await fleet.operator.grant('alice', id);
        });
        await fleet.operator.untilNoneStarting();
        const took = await timed(() => fleet.operator.revoke({ $case: 'everything', value: true }, bulk));
        const bareTook = await timed(() => bare.fanOut(DOWN));
        if (run < 0) continue;
        ours.push(took);
        fanOuts.push(bareTook);
      }
      return {
        ratios: [ratio('bulk revoke / bare fan-out', bulk, ours, fanOuts, { atMost: 2.5 })],
        figures: [
          single('bulk revoke, call to last effective', bulk, 'ms', ours),
          single('bare fan-out, all answered', bulk, 'ms', fanOuts),
        ],
      };
    }),
  );
