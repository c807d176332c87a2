import assert from 'node:assert/strict';
import { closeEnvironment } from './own-environment.js';

describe('the environment of the agent', () => {
  it("leads to the system's own programs, and to nothing that a shell would read", () => {
    const env: NodeJS.ProcessEnv = {
      ...{ PATH: '/home/mallory/bin:/usr/local/bin:/usr/bin', BASH_ENV: '/tmp/x', ENV: '/tmp/x' },
      ...{ 'BASH_FUNC_cat%%': '() { id; }', CURFEW_STATE_DIR: '/var/lib/curfew', ENVIRONMENT: 'kept' },
    };
    closeEnvironment(env);
    assert.deepEqual(env, {
      PATH: '/usr/bin:/usr/sbin:/bin:/sbin:/run/wrappers/bin:/run/current-system/sw/bin',
      ...{ CURFEW_STATE_DIR: '/var/lib/curfew', ENVIRONMENT: 'kept' },
    });
  });

  it('has a PATH where there was none', () => {
    const env: NodeJS.ProcessEnv = {};
    closeEnvironment(env);
    assert.deepEqual(Object.keys(env), ['PATH']);
  });
});
