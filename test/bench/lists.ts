import {
  DeviceServiceService,
  ListDevicesRequest,
  ListSessionsRequest,
  SessionServiceService,
  WatchSessionsRequest,
  type SessionFilter,
} from '@curfew/proto';
import { readFileSync } from 'node:fs';
import type { ControlPlane } from '../support/control-plane.js';
import { during } from './during.js';
import { LargePlane } from './large-plane.js';
import { Operator } from './operator.js';
import { latency, ratio, type Outcome } from './outcome.js';
import type { BenchSettings } from './settings.js';
import { quantile, timed } from './statistics.js';

const PAGE = 100;
/** How many watch at the same time. */
export const CONSOLES = 100;
/** A question takes long enough that few rounds tell. */
export const MOST_ROUNDS = 12;

export interface Question {
  readonly name: string;
  readonly ask: () => Promise<unknown>;
  /** What the answer takes from SQLite alone, by hand: the rows of the page, and how many fit. */
  readonly sql: readonly string[];
}

const NAMED =
  'select s.*, u.name as user_name, d.name as device_name from session s join app_user u on u.id = s.user_id join device d on d.id = s.device_id';

/**
 * B7: lists over 50,000 live sessions on 5,000 devices, in turn with SQLite alone on the same file; and how long a
 * change takes to all of 100 consoles.
 */
export const lists = (settings: BenchSettings): Promise<Outcome> =>
  during(LargePlane.start(settings, 2 * CONSOLES), async ({ plane, operator, db }) => {
    const questions = questionsOf(operator, { device: 'host-0001', text: 'certificate 4' });
    const rounds = Math.min(settings.rounds, MOST_ROUNDS);
    const [ours, bare] = [new Map<string, number[][]>(), new Map<string, number[][]>()];
    for (let run = -1; run < settings.runs; run++)
      for (const { name, ask, sql } of questions) {
        const [own, alone]: [number[], number[]] = [[], []];
        const statements = sql.map((text) => db.prepare(text));
        for (let round = 0; round < rounds; round++) {
          own.push(await timed(ask));
          alone.push(await timed(() => statements.map((statement) => statement.all())));
        }
        if (run < 0) continue;
        ours.set(name, [...(ours.get(name) ?? []), own]);
        bare.set(name, [...(bare.get(name) ?? []), alone]);
      }
    const seen = await changeToConsoles(plane, operator, rounds);
    const rows = settings.sessions;
    const p50 = (runs: number[][] | undefined): number[] => (runs ?? []).map((run) => quantile(run, 0.5));
    return {
      ratios: questions.map(({ name }) =>
        ratio(`${name} / SQLite alone`, rows, p50(ours.get(name)), p50(bare.get(name))),
      ),
      figures: [
        ...questions.map(({ name }) => latency(name, rows, ours.get(name) ?? [])),
        latency(`a change, until the last of ${CONSOLES} consoles`, rows, [seen]),
      ],
    };
  });

/** What the console asks for first, of a device by name and by a text that the reasons of some sessions have. */
export function questionsOf(
  operator: Operator,
  { device, text }: { readonly device: string; readonly text: string },
): Question[] {
  const sessions =
    (orderBy: string, filter: Partial<SessionFilter> = {}) =>
    () =>
      operator.call(
        SessionServiceService.listSessions,
        ListSessionsRequest.fromPartial({ orderBy, filter, pageSize: PAGE }),
      );
  const live = "s.state <> 'ended'";
  const count = (where: string): string =>
    `select count(*) from session s join app_user u on u.id = s.user_id join device d on d.id = s.device_id where ${where}`;
  const page = (where: string, order: string): string =>
    `${NAMED} where ${where} order by ${order}, s.id limit ${PAGE + 1}`;
  const ofDevice = `${live} and d.name = '${device}'`;
  const withText = `${live} and lower(u.name || ' ' || d.name || ' ' || s.account || ' ' || s.reason) like '%${text}%'`;
  return [
    {
      name: 'sessions, by end',
      ask: sessions('expire_time'),
      sql: [page(live, 's.expires_at_ms'), count(live)],
    },
    {
      name: 'sessions, by user',
      ask: sessions('user_name'),
      sql: [page(live, 'u.name'), count(live)],
    },
    {
      name: 'sessions, newest first',
      ask: sessions('create_time desc'),
      sql: [page(live, 's.created_at_ms desc'), count(live)],
    },
    {
      name: 'sessions of one device',
      ask: sessions('expire_time', { device }),
      sql: [page(ofDevice, 's.expires_at_ms'), count(ofDevice)],
    },
    {
      name: 'sessions, by a text',
      ask: sessions('expire_time', { text }),
      sql: [page(withText, 's.expires_at_ms'), count(withText)],
    },
    {
      name: 'devices, by name',
      ask: () => operator.call(DeviceServiceService.listDevices, ListDevicesRequest.fromPartial({ pageSize: PAGE })),
      sql: [
        `select * from device where state <> 'removed' order by name, id limit ${PAGE + 1}`,
        "select count(*) from device where state <> 'removed'",
      ],
    },
  ];
}

/** How long each of some changes, which revoke a session each, took to be seen by the last of many watchers. */
export async function changeToConsoles(plane: ControlPlane, operator: Operator, changes: number): Promise<number[]> {
  const waiting = new Map<string, () => void>();
  const consoles = Array.from({ length: CONSOLES }, (_, at) => {
    const client = new Operator(plane.address, readFileSync(plane.caFile), plane.ownerToken);
    const synced = client.watch(
      SessionServiceService.watchSessions,
      WatchSessionsRequest.fromPartial({ changesOnly: true }),
      ({ session }) => {
        if (session !== undefined) waiting.get(`${at} ${session.id}`)?.();
      },
    );
    return { client, synced };
  });
  try {
    await Promise.all(consoles.map(({ synced }) => synced));
    const page = await operator.call(
      SessionServiceService.listSessions,
      ListSessionsRequest.fromPartial({ pageSize: changes }),
    );
    const took: number[] = [];
    for (const { id } of page.sessions) {
      const all = consoles.map((_, at) => new Promise<void>((resolve) => waiting.set(`${at} ${id}`, resolve)));
      took.push(
        await timed(async () => {
          void operator.call(SessionServiceService.revokeSessions, {
            selection: { $case: 'sessions', value: { ids: [id] } },
            reason: 'benchmark',
            wait: undefined,
          });
          await Promise.all(all);
        }),
      );
      waiting.clear();
    }
    return took;
  } finally {
    for (const { client } of consoles) client.close();
  }
}
