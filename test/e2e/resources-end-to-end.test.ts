import { ApplyPoliciesRequest, EndReason, PolicyServiceService, RevokeOutcome, SessionState } from '@curfew/proto';
import { durationMs, HOUR, MINUTE } from '@curfew/shared';
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
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
} from '../support/real-resources.js';
import { ResourceOperator, these, type Person } from '../support/resource-operator.js';
import { SlapdServer } from '../support/slapd-server.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

const NAMES = ['directory', 'database-15', 'database-18', 'scim', 'github', 'aws'] as const;
/** Those in which many sessions end at once. */
const LARGE = ['directory', 'database-18', 'scim'] as const;
const MANY = 200;
const HOUR_SECONDS = HOUR / 1_000;
const ENOUGH_MS = 90_000;

const NEEDS = [{ program: 'slapd' }, { program: 'ldapsearch' }];

describeOn(NEEDS, 'resources from the request to the end', function () {
  this.timeout(240_000);
  const missing = ([15, 18] as const).map(whyNoPostgres).filter(Boolean);
  if (missing.length > 0) {
    it(`left out: ${missing.join(', ')}`);
    return;
  }
  const stops: (() => unknown)[] = [];
  const resources = new Map<string, RealResource>();
  let clock: MovableClock;
  let server: TestServer;
  let owner: ResourceOperator;
  let alice: Person;

  before(async () => {
    const slapd = stopped(await SlapdServer.start());
    const older = stopped(await PostgresServer.start(15));
    const newer = stopped(await PostgresServer.start(18));
    const made = [directoryGroup(slapd), databaseRole(older), databaseRole(newer), scimGroup(), githubTeam()];
    for (const [at, resource] of (await Promise.all([...made, identityStoreGroup()])).entries()) {
      resources.set(NAMES[at] ?? '', resource);
      stops.push(() => resource.close());
    }
    clock = new MovableClock();
    stops.push(() => clock.stop());
    const env = { CURFEW_TIMED_ACCESS_ALLOW_LOCAL_TARGETS: 'true', CURFEW_LIMITS_TOKEN_CALLS_PER_SECOND: '100000' };
    server = await startTestServer(env, undefined, clock);
    stops.push(() => server.close());
    owner = new ResourceOperator(server);
    stops.push(() => owner.close());
    await owner.user('alice');
    alice = await owner.person('alice');
    stops.push(() => alice.close());
    // Two servers of one kind know the same people.
    for (const name of NAMES) {
      await resourceOf(name).addPeople(['alice', 'bob']);
      await owner.enter(name, resourceOf(name).entry);
    }
    const text = `policies:\n- name: all\n  effect: allow\n  resource: { names: [${NAMES.join(', ')}] }\n  max_duration: 1h\n`;
    await owner.call(PolicyServiceService.applyPolicies, ApplyPoliciesRequest.fromPartial({ text }));
  });
  after(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  function stopped<T extends { stop: () => unknown }>(process: T): T {
    stops.push(() => process.stop());
    return process;
  }
  function resourceOf(name: string): RealResource {
    const found = resources.get(name);
    assert.ok(found, name);
    return found;
  }
  /** Who has it, in two ways: as a list, and by what alice and bob can do. */
  async function holders(name: string): Promise<unknown> {
    const resource = resourceOf(name);
    return [await resource.members(), await resource.has('alice'), await resource.has('bob')];
  }
  const NOBODY = [[], false, false];
  const ALICE = [['alice'], true, false];

  for (const name of NAMES) {
    it(`gives '${name}' by an approved request, and takes it away when it is revoked`, async () => {
      const request = await alice.ask(name, HOUR_SECONDS);
      assert.deepEqual(await holders(name), NOBODY);
      const id = await owner.approve(request);
      await owner.until(id, SessionState.ACTIVE);
      assert.deepEqual(await holders(name), ALICE);
      const [result] = await owner.revoke(these(id), 20);
      assert.equal(result?.outcome, RevokeOutcome.EFFECTIVE);
      assert.deepEqual(await holders(name), NOBODY);
      const { state, endReason, requestId } = await owner.session(id);
      assert.deepEqual([state, endReason, requestId], [SessionState.ENDED, EndReason.REVOKED, request]);
    });

    it(`takes '${name}' away when its time is over, and not before`, async () => {
      const id = await owner.approve(await alice.ask(name, HOUR_SECONDS));
      const { expireTime } = await owner.until(id, SessionState.ACTIVE);
      clock.advance(durationMs((expireTime?.getTime() ?? 0) - clock.now() - MINUTE));
      assert.deepEqual(await holders(name), ALICE);
      assert.equal((await owner.session(id)).state, SessionState.ACTIVE);
      clock.advance(MINUTE);
      const ended = await owner.until(id, SessionState.ENDED);
      assert.deepEqual(await holders(name), NOBODY);
      assert.equal(ended.endReason, EndReason.EXPIRED);
      assert.ok((ended.endedTime?.getTime() ?? 0) >= (expireTime?.getTime() ?? Infinity));
    });
  }

  it(`takes away ${MANY} sessions of each of ${LARGE.join(', ')} at once, and says so when it is so`, async () => {
    const people = Array.from({ length: MANY }, (_, index) => `person-${index}`).sort();
    for (const name of people) await owner.user(name);
    const states = async (name: string): Promise<unknown> =>
      new Set((await owner.open(name)).map(({ state }) => state));
    for (const name of LARGE) {
      await resourceOf(name).addPeople(people);
      for (const person of people) await owner.grant(person, name);
    }
    for (const name of LARGE) {
      const all = { withinMs: ENOUGH_MS, everyMs: 200, what: `all of ${name} to be active` };
      await eventually(async () => isDeepStrictEqual(await states(name), new Set([SessionState.ACTIVE])), all);
      assert.deepEqual(await resourceOf(name).members(), people);
    }

    for (const name of LARGE) resourceOf(name).network.stall();
    const results = await owner.revoke({ $case: 'everything', value: true });
    assert.equal(results.length, MANY * LARGE.length);
    for (const name of LARGE) {
      assert.equal((await owner.open(name)).length, MANY);
      assert.deepEqual(await states(name), new Set([SessionState.ENDING]));
      assert.deepEqual(await resourceOf(name).members(), people);
    }
    for (const name of LARGE) resourceOf(name).network.restore();

    const claimedTooEarly: string[] = [];
    for (const name of LARGE) {
      const end = async (): Promise<boolean> => {
        // First what the ledger claims, then what is so.
        const open = new Set((await owner.open(name)).map(({ userName }) => userName));
        const members = await resourceOf(name).members();
        claimedTooEarly.push(...members.filter((person) => !open.has(person)));
        return open.size === 0;
      };
      await eventually(end, { withinMs: ENOUGH_MS, what: `all of ${name} to end` });
    }
    assert.deepEqual(claimedTooEarly, []);
    for (const name of LARGE) {
      assert.deepEqual(await resourceOf(name).members(), []);
      const ended = (await owner.ended(name)).filter(({ userName }) => userName.startsWith('person-'));
      assert.equal(ended.length, MANY);
      assert.deepEqual(new Set(ended.map(({ endReason }) => endReason)), new Set([EndReason.REVOKED]));
    }
  });
});
