import { instantMs } from '@curfew/shared';
import assert from 'node:assert/strict';
import type { ModelWorld } from './model-world.js';

/** With everything mended, ledger and device agree, and rights can be given and taken. */
export async function converge(world: ModelWorld): Promise<void> {
  // By now both ends have given up a link on which nothing came through.
  if (world.network.isStalled || world.network.slow.size > 0) world.agent?.wire?.cut();
  world.heal();
  world.machine.host.isStuck = false;
  world.agent?.life.killAfter(undefined);
  const walls = [world.latestServerWall, world.serverMachine.clock.now(), world.machine.clock.now()];
  const wall = instantMs(Math.max(...walls));
  world.serverMachine.clock.setWall(wall);
  world.machine.clock.setWall(wall);
  world.startAgent();
  // A copy from before several recoveries takes as many: each goes one incarnation on.
  const rounds = 3 + world.recoveries;
  for (let round = 0; round < rounds; round += 1) {
    await world.settle();
    await world.advance(5_000);
    await world.check();
    if ((await world.server.rolledBack()) !== '') await world.recover();
    else if (world.agent !== undefined && world.agent.holder.refusalCode !== '') {
      // What came from elsewhere over its link proves nothing to the server, and the agent is started anew.
      world.killAgent();
      world.startAgent();
    }
  }
  await world.settle();
  await world.check();
  assert.equal(await world.server.rolledBack(), '', 'a recovery did not help');
  await assertAgreement(world);
  await world.server.sessions.revoke(world.template.owner, 'everything', 'enough');
  await world.settle();
  const wish = { user: 'alice', device: 'web-1', account: '', durationMs: 60_000, reason: 'work' };
  const options = { kind: 'sudo_rule', passwordRequired: false, commands: [], runAs: '', group: '' } as const;
  const { id } = await world.server.sessions.grant(world.template.owner, {
    ...wish,
    options: { ...options, commands: [] },
  });
  world.made(id);
  await world.settle();
  assert.deepEqual([...world.machine.host.rights.keys()], [id], 'nothing can be given any more');
  await assertAgreement(world);
  await world.server.sessions.revoke(world.template.owner, { ids: [id] }, 'enough');
  world.over([id]);
  await world.settle();
  assert.equal(world.machine.host.rights.size, 0, 'nothing can be taken away any more');
  await assertAgreement(world);
}

async function assertAgreement(world: ModelWorld): Promise<void> {
  const open = (await world.server.rows()).filter(({ state }) => state !== 'ended');
  const held = [...world.machine.host.rights.keys()].sort();
  assert.deepEqual(open.map(({ id }) => id).sort(), held, 'ledger and device do not agree');
  assert.ok(
    open.every(({ state }) => state === 'active'),
    'a session that is neither active nor over',
  );
}
