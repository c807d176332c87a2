import {
  type GrantSessionRequest,
  type RevokeSessionsRequest,
  RevokeOutcome,
  SessionServiceService as service,
  SessionState,
} from '@curfew/proto';
import { setTimeout as pause } from 'node:timers/promises';
import { ApiClient, refusalOf, type Method } from '../api-client.js';
import { moment, type Fate, type Happening, type Standing } from './history.js';
import type { Cluster } from './cluster.js';
import type { FireDevice } from './fire-device.js';

/** Answers that say that nothing can be said. */
const UNKNOWN_CODES = ['', 'LEDGER_OUTCOME_UNKNOWN', 'INTERNAL'];
/** How the API names where a session stands. */
export const STANDINGS: Readonly<Partial<Record<SessionState, Standing>>> = {
  [SessionState.STARTING]: 'starting',
  [SessionState.ACTIVE]: 'active',
  [SessionState.ENDING]: 'ending',
  [SessionState.ENDED]: 'ended',
};
/** How long a revoke waits for devices. */
const WAIT_SECONDS = 8;
const seconds = (value: number) => ({ seconds: BigInt(value), nanos: 0 });
/** How long somebody watches a session that does not come where it should, before they turn to something else, ms. */
const PATIENCE_MS = 20_000;

/** Operators who ask any of the servers, and keep what was answered. */
export class Operators {
  private readonly clients: readonly ApiClient[];
  private isOver = false;
  private isClosed = false;
  private words = 0;

  constructor(
    cluster: Cluster,
    private readonly random: () => number,
    private readonly tell: (happening: Happening) => void,
  ) {
    const { first } = cluster;
    this.clients = cluster.servers.map(
      ({ plane }) => new ApiClient(plane.address, plane.caFile, { token: first.ownerToken }),
    );
  }

  /** Gives and takes sessions on one device after another of these, until it is over. */
  async work(next: () => { readonly id: string; readonly real?: FireDevice }): Promise<void> {
    while (!this.isOver) {
      const { id, real } = next();
      await this.session(id, real);
      await pause(this.random() * 1_000);
    }
  }

  /** Revokes everything now and then, until it is over. */
  async revokeAllNowAndThen(everyMs: number): Promise<void> {
    for (;;) {
      for (let waited = 0; waited < everyMs; waited += 500) {
        if (this.isOver) return;
        await pause(500);
      }
      await this.revoke();
    }
  }

  /** Lets everybody finish what they have begun. */
  end(): void {
    this.isOver = true;
  }

  close(): void {
    this.end();
    this.isClosed = true;
    for (const client of this.clients) client.close();
  }

  private async session(device: string, real: FireDevice | undefined): Promise<void> {
    const isShort = this.random() < 0.2;
    const session = await this.grant(device, isShort ? 4 + Math.floor(this.random() * 6) : 120);
    if (session === undefined) return;
    await this.until(session, ['active', 'ending', 'ended']);
    await real?.attempt();
    await pause(this.random() * 4_000);
    // One that is short may still expire before anybody revokes it.
    if (!isShort) await this.revokeForSure(session);
    await real?.attempt();
    await this.until(session, ['ended']);
    await real?.attempt();
  }

  /** Asks for a session. Gives its id, where it was answered. */
  private async grant(device: string, forSeconds: number): Promise<string | undefined> {
    const word = `word-${this.words++}`;
    const request: GrantSessionRequest = {
      user: 'alice',
      device,
      resource: '',
      account: 'alice',
      duration: seconds(forSeconds),
      reason: word,
      options: undefined,
    };
    const begun = moment();
    const { answer, fate } = await this.call(service.grantSession, request);
    const session = answer?.session?.id;
    this.tell({ kind: 'grant', word, device, begun, over: moment(), fate, ...(session !== undefined && { session }) });
    return session;
  }

  /** Revokes until it was answered. */
  private async revokeForSure(session: string): Promise<void> {
    while (!this.isClosed && (await this.revoke([session])) !== 'done') await pause(200);
  }

  /** Revokes these, or everything. */
  async revoke(sessions?: readonly string[]): Promise<Fate> {
    const request: RevokeSessionsRequest = {
      selection:
        sessions === undefined
          ? { $case: 'everything', value: true }
          : { $case: 'sessions', value: { ids: [...sessions] } },
      reason: 'enough',
      wait: seconds(WAIT_SECONDS),
    };
    const begun = moment();
    const { answer, fate } = await this.call(service.revokeSessions, request);
    const results = (answer?.results ?? []).map(({ session, outcome }) => ({
      session: session?.id ?? '',
      effective: outcome === RevokeOutcome.EFFECTIVE,
    }));
    this.tell({ kind: 'revoke', begun, over: moment(), fate, ...(sessions !== undefined && { sessions }), results });
    return fate;
  }

  /** Asks any server where a session stands, until it stands at one of these or patience is over. */
  private async until(session: string, wanted: readonly Standing[]): Promise<void> {
    const start = moment();
    while (!this.isClosed && moment() - start < PATIENCE_MS) {
      const begun = moment();
      const { answer, code } = await this.call(service.getSession, { sessionId: session });
      const standing = STANDINGS[answer?.session?.state ?? SessionState.UNSPECIFIED];
      if (answer !== undefined || code === 'SESSION_NOT_FOUND')
        this.tell({ kind: 'read', session, begun, over: moment(), standing });
      if (standing !== undefined && wanted.includes(standing)) return;
      await pause(100 + this.random() * 200);
    }
  }

  private async call<Q, S>(method: Method<Q, S>, request: Q): Promise<{ answer?: S; fate: Fate; code: string }> {
    const client = this.clients[Math.floor(this.random() * this.clients.length)];
    let answer: S | undefined;
    const refusal = await refusalOf(client!.unary(method, request).then((given) => (answer = given)));
    if (answer !== undefined) return { answer, fate: 'done', code: '' };
    const code = refusal?.code ?? '';
    return { fate: UNKNOWN_CODES.includes(code) ? 'unknown' : 'not done', code };
  }
}
