import { EndReason, ResourceServiceService, RevokeOutcome, SessionState, type Session } from '@curfew/proto';
import { durationMs, SECOND } from '@curfew/shared';
import assert from 'node:assert/strict';
import { failFirst, type HttpFault } from '../support/http-faults.js';
import { describeOn } from '../support/machine-needs.js';
import { MovableClock } from '../support/movable-clock.js';
import { PostgresServer, whyNoPostgres } from '../support/postgres-server.js';
import {
  databaseRole,
  directoryGroup,
  githubTeam,
  identityStoreGroup,
  scimGroup,
  type RealResource,
  type ScimResource,
} from '../support/real-resources.js';
import { ResourceOperator, these } from '../support/resource-operator.js';
import { SlapdServer } from '../support/slapd-server.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

const SOON = { withinMs: 60_000 };
/** More pieces of data than any step sends. */
const MOST_PIECES = 40;
/** Longer than any session here has to last, however far the clock is moved; no session may be longer. */
const LONG_SECONDS = 8 * 3_600;
/** How long the product waits for one call to LDAP, PostgreSQL and SCIM, at most. */
const CALL_LIMIT = durationMs(30 * SECOND);

const NAMES = ['directory', 'database', 'scim', 'team', 'identity-store'] as const;

describeOn([{ program: 'slapd' }, { program: 'ldapsearch' }], 'real servers that misbehave', function () {
  this.timeout(300_000);
  const missing = whyNoPostgres(18);
  if (missing !== '') {
    it(`left out: ${missing}`);
    return;
  }
  const stops: (() => unknown)[] = [];
  const resources = new Map<string, RealResource>();
  let clock: MovableClock;
  let server: TestServer;
  let owner: ResourceOperator;
  let database: PostgresServer;
  let scim: ScimResource;

  before(async () => {
    const slapd = await SlapdServer.start();
    stops.push(() => slapd.stop());
    database = await PostgresServer.start(18);
    stops.push(() => database.stop());
    scim = await scimGroup();
    const made = [
      await directoryGroup(slapd),
      await databaseRole(database),
      scim,
      await githubTeam(),
      await identityStoreGroup(),
    ];
    clock = new MovableClock();
    stops.push(() => clock.stop());
    const env = { CURFEW_TIMED_ACCESS_ALLOW_LOCAL_TARGETS: 'true', CURFEW_LIMITS_TOKEN_CALLS_PER_SECOND: '100000' };
    server = await startTestServer(env, undefined, clock);
    stops.push(() => server.close());
    owner = new ResourceOperator(server);
    stops.push(() => owner.close());
    for (const [at, resource] of made.entries()) {
      const name = NAMES[at] ?? '';
      resources.set(name, resource);
      stops.push(() => resource.close());
      await resource.addPeople(['alice', 'bob']);
      await owner.enter(name, resource.entry);
    }
    for (const name of ['alice', 'bob']) await owner.user(name);
  });
  after(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  const resourceOf = (name: string): RealResource => {
    const found = resources.get(name);
    assert.ok(found, name);
    return found;
  };
  const connectorOf = async (name: string) => {
    const { connectors } = await owner.call(ResourceServiceService.listConnectors, {});
    const found = connectors.find((one) => one.name === name);
    assert.ok(found, name);
    return found;
  };
  const grant = (name: string, user = 'alice'): Promise<string> => owner.grant(user, name, LONG_SECONDS);
  const active = async (name: string): Promise<string> => {
    const id = await grant(name);
    await untilSoon(id, SessionState.ACTIVE);
    return id;
  };

  /** A session as it is; when it only waits for its next attempt, that comes now. */
  const hurried = async (id: string): Promise<Session> => {
    const session = await owner.session(id);
    const waitMs = (session.nextAttemptTime?.getTime() ?? 0) - clock.now();
    if (waitMs > 0) clock.advance(durationMs(waitMs));
    return session;
  };
  /** Waits until a session is in a state, and for no attempt; `move` is done now and then until it is. */
  const untilSoon = (id: string, state: SessionState, move: () => void = () => undefined): Promise<Session> =>
    eventually(
      async () => {
        move();
        const session = await hurried(id);
        return session.state === state && session;
      },
      { ...SOON, what: `the session ${id} to be ${SessionState[state]}` },
    );
  /** Waits until a session shows what went wrong; `move` is done now and then until it does. */
  const untilTrouble = (id: string, move: () => void = () => undefined): Promise<Session> =>
    eventually(
      async () => {
        move();
        const session = await owner.session(id);
        return session.attemptError !== '' && session;
      },
      { ...SOON, what: `the session ${id} to show what is wrong` },
    );
  const hasOnce = async (name: string): Promise<void> => {
    assert.deepEqual(await resourceOf(name).members(), ['alice']);
    assert.equal(await resourceOf(name).has('alice'), true);
  };
  const hasNobody = async (name: string): Promise<void> => {
    assert.deepEqual(await resourceOf(name).members(), []);
    assert.equal(await resourceOf(name).has('alice'), false);
  };
  /** What is shown of an end that the resource has not confirmed. */
  const isWaiting = (session: Session | undefined): void => {
    assert.equal(session?.state, SessionState.ENDING);
    assert.deepEqual(session.unconfirmedSinceTime, session.endingTime);
    assert.notEqual(session.attemptError, '');
    assert.ok(session.nextAttemptTime, 'when it is tried again');
  };
  const endsWell = async (name: string, id: string, reason = EndReason.REVOKED): Promise<void> => {
    assert.equal((await untilSoon(id, SessionState.ENDED)).endReason, reason);
    await hasNobody(name);
  };
  afterEach(async () => {
    for (const { network } of resources.values()) network.restore();
    for (const name of NAMES) {
      await hasNobody(name);
      assert.deepEqual(await owner.open(name), []);
    }
  });

  for (const name of NAMES) {
    describe(name, () => {
      it('is down: it is shown, and all comes about when it is back', async () => {
        const { network } = resourceOf(name);
        network.cut();
        const id = await grant(name);
        const starting = await untilTrouble(id);
        assert.equal(starting.state, SessionState.STARTING);
        assert.ok(starting.unconfirmedSinceTime && starting.nextAttemptTime);
        await hasNobody(name);
        network.restore();
        await untilSoon(id, SessionState.ACTIVE);
        await hasOnce(name);

        network.cut();
        const [result] = await owner.revoke(these(id), 20);
        assert.equal(result?.outcome, RevokeOutcome.PENDING);
        isWaiting(result.session);
        await hasOnce(name);
        await eventually(async () => {
          await hurried(id);
          return (await connectorOf(name)).circuitOpen;
        }, SOON);
        isWaiting(await owner.session(id));
        assert.notEqual((await connectorOf(name)).lastError, '');
        await hasOnce(name);
        network.restore();
        await endsWell(name, id);
        assert.equal((await connectorOf(name)).failingSinceTime, undefined);
      });

      it('does not answer in time: what it is asked is given up, and done once when it answers', async () => {
        const { network } = resourceOf(name);
        network.stall();
        const late = () => clock.advance(CALL_LIMIT);
        const id = await grant(name);
        const starting = await untilTrouble(id, late);
        assert.equal(starting.state, SessionState.STARTING);
        assert.match(starting.attemptError, /no answer within (20|30) ?s/);
        await hasNobody(name);
        network.restore();
        await untilSoon(id, SessionState.ACTIVE);
        await hasOnce(name);

        network.stall();
        await owner.revoke(these(id));
        isWaiting(await untilTrouble(id, late));
        await hasOnce(name);
        network.restore();
        await endsWell(name, id);
      });

      it('loses an answer or half of it, whichever: nothing is lost and nothing given twice', async () => {
        const { network, members } = resourceOf(name);
        let [faults, isWhole] = [0, false];
        for (let piece = 1; piece < MOST_PIECES && !isWhole; piece++) {
          const [first, second] = piece % 2 === 0 ? (['lose', 'half'] as const) : (['half', 'lose'] as const);
          network.failAt(piece, first);
          const id = await active(name);
          assert.deepEqual(await members(), ['alice']);
          const isGivenWhole = !network.hasFailed;
          network.failAt(piece, second);
          await owner.revoke(these(id));
          assert.equal((await untilSoon(id, SessionState.ENDED)).endReason, EndReason.REVOKED);
          assert.deepEqual(await members(), []);
          isWhole = isGivenWhole && !network.hasFailed;
          network.restore();
          if (!isWhole) faults += 1;
        }
        assert.ok(isWhole, 'no session went through without a fault');
        // AWS answers four calls for a membership, in one piece each.
        assert.ok(faults > (name === 'identity-store' ? 3 : 5), `only ${faults} answers were lost`);
      });

      it('does what it was asked long after it was given up: it is looked for and taken away', async () => {
        const { network, members } = resourceOf(name);
        let [cameLate, isWhole] = [0, false];
        for (let piece = 1; piece < MOST_PIECES && !isWhole; piece++) {
          network.failAt(piece, 'hold');
          const id = await grant(name);
          const isMet = async () => network.hasFailed || (await hurried(id)).state === SessionState.ACTIVE;
          await eventually(isMet, SOON);
          isWhole = !network.hasFailed;
          if (!isWhole) await untilTrouble(id, () => clock.advance(CALL_LIMIT));
          await owner.revoke(these(id));
          if (!isWhole) {
            await eventually(async () => (await members()).length === 0, SOON);
            network.release();
          }
          if ((await members()).length > 0) {
            cameLate += 1;
            assert.equal((await owner.session(id)).state, SessionState.ENDING);
          }
          // What goes over a connection of which something was held has no answer.
          await untilSoon(id, SessionState.ENDED, () => clock.advance(SECOND));
          assert.deepEqual(await members(), []);
          network.restore();
        }
        assert.ok(isWhole, 'no session went through without being held');
        assert.ok(cameLate > 0, 'nothing came late');
      });

      it('takes nothing from somebody who had it before, whichever answer is lost', async () => {
        const { network, members, byHand } = resourceOf(name);
        await byHand('alice', true);
        let isWhole = false;
        for (let piece = 1; piece < MOST_PIECES && !isWhole; piece++) {
          network.failAt(piece, 'lose');
          const ended = await untilSoon(await grant(name), SessionState.ENDED);
          assert.equal(ended.endReason, EndReason.FAILED);
          assert.match(ended.endDetail, /^RESOURCE_HELD_BY_HAND/);
          assert.deepEqual(await members(), ['alice']);
          isWhole = !network.hasFailed;
          network.restore();
        }
        assert.ok(isWhole, 'no session went through without a fault');
        await byHand('alice', false);
      });
    });
  }

  describe('scim, in the words of HTTP', () => {
    const isPatch = ({ method }: { method: string }): boolean => method === 'PATCH';
    const failOnce = (fault: HttpFault): void => {
      scim.server.knobs.fault = failFirst(1, fault, isPatch);
    };
    const patches = (): number => scim.server.calls.filter(isPatch).length;

    it('asks to be left alone for a while, and is', async () => {
      failOnce({ kind: 'answer', status: 429, headers: { 'retry-after': '120' } });
      const id = await grant('scim');
      const starting = await untilTrouble(id);
      assert.match(starting.attemptError, /HTTP 429/);
      const waitMs = (starting.nextAttemptTime?.getTime() ?? 0) - clock.now();
      assert.ok(waitMs > 60_000 && waitMs <= 120_000, `${waitMs} ms`);
      const asked = scim.server.calls.length;
      clock.advance(durationMs(waitMs / 2));
      const other = await grant('scim', 'bob');
      isLeftAlone(await untilTrouble(other), starting);
      assert.equal(scim.server.calls.length, asked);
      await owner.revoke(these(other), 20);
      await untilSoon(id, SessionState.ACTIVE);
      await hasOnce('scim');

      failOnce({ kind: 'answer', status: 429, headers: { 'retry-after': '120' } });
      const [result] = await owner.revoke(these(id), 20);
      assert.equal(result?.outcome, RevokeOutcome.PENDING);
      isWaiting(result.session);
      await hasOnce('scim');
      await endsWell('scim', id);
    });
    const isLeftAlone = (session: Session, first: Session): void => {
      assert.equal(session.state, SessionState.STARTING);
      assert.deepEqual(session.nextAttemptTime, first.nextAttemptTime);
    };

    const FAULTS: readonly HttpFault[] = [
      { kind: 'answer', status: 500, body: 'it broke' },
      { kind: 'answer', status: 503 },
      { kind: 'answer', status: 200, body: '{"id": "g-' },
      { kind: 'reset' },
      { kind: 'lose' },
      { kind: 'half' },
    ];
    for (const fault of FAULTS)
      it(`fails by ${JSON.stringify(fault)}: each write is done once, and is shown when it is so`, async () => {
        failOnce(fault);
        const id = await active('scim');
        await hasOnce('scim');
        failOnce(fault);
        const [result] = await owner.revoke(these(id), 20);
        assert.equal(result?.outcome, RevokeOutcome.PENDING);
        isWaiting(result.session);
        const before = patches();
        await endsWell('scim', id);
        assert.ok(patches() > before, 'it was not asked again');
      });
  });

  describe('database, in its own words', () => {
    it('has no room for connections: that is no refusal', async () => {
      const { settings } = resourceOf('database').entry;
      const account = settings['user'] ?? '';
      const limit = (connections: number): Promise<string> =>
        database.run(`alter role ${account} connection limit ${connections};
          select pg_terminate_backend(pid) from pg_stat_activity where usename = '${account}'`);
      const id = await active('database');
      await limit(0);
      const [result] = await owner.revoke(these(id), 20);
      assert.equal(result?.outcome, RevokeOutcome.PENDING);
      isWaiting(result.session);
      assert.match(result.session?.attemptError ?? '', /too many connections/);
      await hasOnce('database');
      await limit(-1);
      await endsWell('database', id);
    });
  });
});
