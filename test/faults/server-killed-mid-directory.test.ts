import { EndReason, SessionState } from '@curfew/proto';
import assert from 'node:assert/strict';
import { ControlPlane } from '../support/control-plane.js';
import { describeOn } from '../support/machine-needs.js';
import { directoryGroup, type RealResource } from '../support/real-resources.js';
import { ResourceOperator } from '../support/resource-operator.js';
import { SlapdServer } from '../support/slapd-server.js';
import { eventually } from '../support/wait.js';

/** More than the pieces of data that a grant or a removal sends, a new connection and its TLS included. */
const STEPS = 20;
const SOON = { withinMs: 120_000 };
const EVERYTHING = { $case: 'everything', value: true } as const;

const NEEDS = [{ program: 'slapd' }, { program: 'ldapsearch' }];

/**
 * As many groups as there are steps, each behind a network of its own that keeps back the answer to another step. So one
 * kill finds the server at every step at once: what it has sent has arrived, and it has heard nothing of it.
 */
describeOn(NEEDS, 'a server that is killed at each step of its work at a directory', function () {
  this.timeout(600_000);
  const groups: RealResource[] = [];
  let slapd: SlapdServer;
  let plane: ControlPlane;
  let owner: ResourceOperator;

  before(async () => {
    slapd = await SlapdServer.start();
    for (let step = 1; step <= STEPS; step++) groups.push(await directoryGroup(slapd));
    await groups[0]?.addPeople(['alice']);
    plane = await ControlPlane.start({
      CURFEW_TIMED_ACCESS_ALLOW_LOCAL_TARGETS: 'true',
      CURFEW_LIMITS_TOKEN_CALLS_PER_SECOND: '100000',
    });
    owner = new ResourceOperator(plane);
    await owner.user('alice');
    for (const [at, { entry }] of groups.entries()) await owner.enter(`group-${at}`, entry);
  });
  after(async () => {
    owner.close();
    await plane.dispose();
    for (const group of groups) await group.close();
    await slapd.stop();
  });

  /** Has the answer to the nth step kept back in the nth group, does something, and kills the server when all wait. */
  async function killedAtEachStep(begin: () => Promise<unknown>, isDone: (group: number) => Promise<boolean>) {
    for (const [at, { network }] of groups.entries()) {
      // A step of a new connection is one as well.
      network.cut();
      network.restore();
      network.failAt(at + 1, 'stall');
    }
    await begin();
    const whole: number[] = [];
    for (const [at, { network }] of groups.entries()) {
      await eventually(async () => network.isStalled || (await isDone(at)), { ...SOON, what: `step ${at + 1}` });
      if (!network.isStalled) whole.push(at);
    }
    await plane.stop('SIGKILL');
    owner.close();
    for (const { network } of groups) {
      network.cut();
      network.restore();
    }
    assert.ok(whole.length > 0 && whole.length < STEPS - 5, `${whole.length} of ${STEPS} were done before the kill`);
  }
  async function restart(): Promise<void> {
    await plane.run();
    owner = new ResourceOperator(plane);
  }
  const members = async (): Promise<unknown> => Promise.all(groups.map((group) => group.members()));
  const all = <T>(value: T): T[] => groups.map(() => value);

  it('gives once what it was giving, and takes away what it was taking away', async () => {
    const ids: string[] = [];
    const inState = async (at: number, state: SessionState): Promise<boolean> =>
      (await owner.session(ids[at] ?? '')).state === state;
    const give = async () => {
      for (const at of groups.keys()) ids.push(await owner.grant('alice', `group-${at}`));
    };
    await killedAtEachStep(give, (at) => inState(at, SessionState.ACTIVE));
    await restart();
    for (const id of ids) await owner.until(id, SessionState.ACTIVE, SOON.withinMs);
    assert.deepEqual(await members(), all(['alice']));

    await killedAtEachStep(
      () => owner.revoke(EVERYTHING),
      async (at) => {
        const { state, attemptError } = await owner.session(ids[at] ?? '');
        // What was asked before the first kill may still come, so that the end is not yet believed.
        return state === SessionState.ENDED || attemptError.includes('may still come');
      },
    );
    await restart();
    for (const id of ids) {
      const ended = await owner.until(id, SessionState.ENDED, SOON.withinMs);
      assert.equal(ended.endReason, EndReason.REVOKED);
    }
    assert.deepEqual(await members(), all([]));
  });
});
