import {
  GrantSessionRequest,
  ListSessionsRequest,
  PutConnectorRequest,
  PutResourceRequest,
  ResourceServiceService,
  SessionServiceService,
  SessionState,
} from '@curfew/proto';
import { spread } from '../fleet.js';
import type { Operator } from '../operator.js';
import { timed } from '../statistics.js';
import type { Place } from './right.js';

const CALLERS = 64;
/** Each look at many sessions takes a part of what is measured. */
const LOOK_MS = 25;
const SESSION = { seconds: 3_600n, nanos: 0 };

/** Gives and takes at places through Curfew, as its operators do. */
export class CurfewRights {
  private constructor(
    private readonly operator: Operator,
    private readonly resources: readonly string[],
    private readonly people: readonly string[],
  ) {}

  /**
   * Makes resources of places, with names that begin so, and one connector for those that have their settings in common.
   */
  static async make(
    operator: Operator,
    begin: string,
    places: readonly Place[],
    people: readonly string[],
  ): Promise<CurfewRights> {
    const connectors = new Map<string, string>();
    const resources: string[] = [];
    for (const { kind, settings, secrets, target } of places) {
      const key = JSON.stringify([settings, secrets]);
      const connector = connectors.get(key) ?? `${begin}-${connectors.size}`;
      if (!connectors.has(key))
        await operator.call(
          ResourceServiceService.putConnector,
          PutConnectorRequest.fromPartial({ connector: { name: connector, kind, settings: { ...settings } }, secrets }),
        );
      connectors.set(key, connector);
      const name = `${begin}-${resources.length}`;
      resources.push(name);
      await operator.call(
        ResourceServiceService.putResource,
        PutResourceRequest.fromPartial({ resource: { name, connector, target: { ...target } } }),
      );
    }
    return new CurfewRights(operator, resources, people);
  }

  /** Everybody at every place, from the first call until the last session is active. Gives the ids and the ms. */
  async giveAll(): Promise<{ readonly ids: readonly string[]; readonly ms: number }> {
    const wishes = this.people.flatMap((user) => this.resources.map((resource) => ({ user, resource })));
    const ids: string[] = [];
    const ms = await timed(async () => {
      await spread(wishes, CALLERS, async ({ user, resource }) => {
        const request = GrantSessionRequest.fromPartial({ user, resource, duration: SESSION, reason: 'benchmark' });
        const { session } = await this.operator.call(SessionServiceService.grantSession, request);
        ids.push(session?.id ?? '');
      });
      await this.operator.untilNoneStarting(LOOK_MS);
    });
    const filter = { states: [SessionState.ACTIVE] };
    const request = ListSessionsRequest.fromPartial({ filter, pageSize: 1 });
    const { totalSize } = await this.operator.call(SessionServiceService.listSessions, request);
    if (totalSize !== wishes.length) throw new Error(`${totalSize} of ${wishes.length} sessions are active`);
    return { ids, ms };
  }

  /** All of them in one call, until the last has ended. Gives the ms. */
  takeAll(ids: readonly string[]): Promise<number> {
    return timed(() => this.operator.revoke({ $case: 'sessions', value: { ids: [...ids] } }, ids.length));
  }
}
