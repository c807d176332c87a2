import pg from 'pg';
import { ControlPlane } from '../support/control-plane.js';
import { postgresOptions } from '../support/ledger-of-tests.js';
import { PostgresServer } from '../support/postgres-server.js';
import { layerFolder, removeLayerFolder } from '../support/scratch.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { during } from './during.js';
import { Fleet, pin } from './fleet.js';
import { latency, ratio, type Outcome } from './outcome.js';
import type { BenchSettings } from './settings.js';
import { quantile, timed } from './statistics.js';

/**
 * B11: two servers on one PostgreSQL: a revoke at the one until the device has confirmed that is linked to the other, in turn
 * with a revoke of a device that is linked to the first itself, and with a notification of PostgreSQL's from one bare
 * connection to another.
 */
export const twoServers = async (settings: BenchSettings): Promise<Outcome> => {
  const folder = layerFolder();
  const postgres = await PostgresServer.start(15, { fsync: 'on' });
  const options = await postgresOptions(postgres, folder);
  const notices = await Notices.open(options['CURFEW_LEDGER_URL'] ?? '');
  try {
    return await during(Fleet.start(settings, options), (fleet) =>
      during(Other.start(options, settings), async ({ plane }) => {
        await fleet.grow(1);
        const [here] = fleet.devices;
        if (here === undefined) throw new Error('there is no device');
        const server = { address: `127.0.0.1:${plane.port}`, caFile: plane.caFile };
        const token = await fleet.operator.joinToken(1);
        const there = await ScriptedDevice.enroll(server, token, 'there', ['alice']);
        await fleet.operator.untilReported(there.id);
        const revoke = async ({ id }: ScriptedDevice): Promise<number> => {
          const session = await fleet.operator.grant('alice', id);
          await fleet.operator.untilActive(session);
          return timed(() => fleet.operator.revoke({ $case: 'sessions', value: { ids: [session] } }));
        };
        const runs: { here: number[]; there: number[]; notice: number[] }[] = [];
        for (let run = -1; run < settings.runs; run += 1) {
          const took = { here: [] as number[], there: [] as number[], notice: [] as number[] };
          for (let round = 0; round < (run < 0 ? settings.warmUp : settings.rounds); round += 1) {
            took.here.push(await revoke(here));
            took.there.push(await revoke(there));
            took.notice.push(await timed(() => notices.one()));
          }
          if (run >= 0) runs.push(took);
        }
        there.close();
        const p50 = (kind: 'here' | 'there' | 'notice'): number[] => runs.map((run) => quantile(run[kind], 0.5));
        const more = p50('there').map((ms, run) => ms - (p50('here')[run] ?? NaN));
        return {
          ratios: [
            ratio('revoke over two servers, more than at one / notification, p50', 1, more, p50('notice'), {
              atMost: 2,
            }),
            ratio('revoke over two servers / at one, p50', 1, p50('there'), p50('here')),
          ],
          figures: [
            latency(
              'revoke, device at the same server',
              1,
              runs.map((run) => run.here),
            ),
            latency(
              'revoke, device at the other server',
              1,
              runs.map((run) => run.there),
            ),
            latency(
              'notification of PostgreSQL',
              1,
              runs.map((run) => run.notice),
            ),
          ],
        };
      }),
    );
  } finally {
    await notices.close();
    await postgres.stop();
    removeLayerFolder(folder);
  }
};

/** The second server. */
class Other {
  private constructor(readonly plane: ControlPlane) {}

  static async start(options: Readonly<Record<string, string>>, { serverCore }: BenchSettings): Promise<Other> {
    const plane = await ControlPlane.start(options);
    pin(plane.pid, serverCore);
    return new Other(plane);
  }

  close(): Promise<void> {
    return this.plane.dispose();
  }
}

/** Two bare connections, of which one tells the other something. */
class Notices {
  private heard = (): void => undefined;

  private constructor(
    private readonly sender: pg.Client,
    private readonly receiver: pg.Client,
  ) {
    receiver.on('notification', () => {
      this.heard();
    });
  }

  static async open(connectionString: string): Promise<Notices> {
    const clients = [new pg.Client({ connectionString }), new pg.Client({ connectionString })] as const;
    for (const client of clients) await client.connect();
    await clients[1].query('listen bench');
    return new Notices(...clients);
  }

  async one(): Promise<void> {
    const heard = new Promise<void>((resolve) => (this.heard = resolve));
    await this.sender.query('notify bench');
    await heard;
  }

  async close(): Promise<void> {
    await this.sender.end();
    await this.receiver.end();
  }
}
