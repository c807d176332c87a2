import { CurfewError } from '@curfew/shared';
import assert from 'node:assert/strict';
import type { FoundRight } from '../../ports/privilege-host.js';
import type { SudoersHost } from '../unix/sudoers-host.js';
import type { DesktopPrompts } from './desktop-prompts.js';
import type { DoasHost } from './doas-host.js';
import { SudoRules } from './sudo-rules.js';

const RIGHT: FoundRight = { sessionId: `ses-${'0'.repeat(20)}`, kind: 'sudo_rule', uid: 1000 };

/** Where a right may be on a machine. */
class Place {
  has = true;
  isStuck = false;
  remove = async (): Promise<void> => {
    if (this.isStuck) throw new CurfewError('COMMAND_FAILED', { command: 'unlink', exitCode: '1', stderr: 'busy' });
    this.has = false;
  };
}

describe('the rules of sudo and of doas', () => {
  for (const stuck of [0, 1, 2])
    it(`are all removed but the one that cannot be, number ${stuck}, and that one with the next attempt`, async () => {
      const places = [new Place(), new Place(), new Place()] as const;
      const [sudoers, doas, prompts] = places as unknown as [SudoersHost, DoasHost, DesktopPrompts];
      const rules = new SudoRules(sudoers, doas, () => '/usr/bin/sudo', prompts);
      const [place] = places.slice(stuck);
      assert.ok(place !== undefined);
      place.isStuck = true;
      await assert.rejects(rules.remove(RIGHT), { code: 'COMMAND_FAILED' });
      assert.deepEqual(
        places.map(({ has }) => has),
        places.map((one) => one === place),
      );
      place.isStuck = false;
      await rules.remove(RIGHT);
      assert.equal(place.has, false);
    });
});
