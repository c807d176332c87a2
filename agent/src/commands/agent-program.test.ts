import assert from 'node:assert/strict';
import { hintsOn } from './agent-program.js';

describe('what curfew-agent says where no agent answers', () => {
  for (const [platform, start] of [
    ['linux', 'systemctl start curfew-agent'],
    ['darwin', 'launchctl kickstart system/curfew.agent'],
    ['win32', 'net start curfew-agent'],
  ] as const)
    it(`is how it is started on ${platform}`, () => {
      assert.equal(hintsOn(platform)['AGENT_UNREACHABLE'], `start it with: ${start}, or: curfew-agent run`);
    });
});
