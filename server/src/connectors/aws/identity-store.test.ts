import { ManualClock, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { TargetGuard } from '../../notifiers/targets/target-guard.js';
import { ConnectorError } from '../connector.js';
import { IdentityStore } from './identity-store.js';

describe('the identity store', () => {
  const setup = {
    region: 'eu-central-1',
    identityStoreId: 'd-1234567890',
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG',
    endpoint: 'http://127.0.0.1:9',
    connections: 1,
  };
  const parts = { clock: new ManualClock(), random: systemRandom, guard: new TargetGuard(true) };
  const never = new AbortController().signal;

  it('names the optional package when it is not installed, and looks again the next time', async () => {
    let loads = 0;
    const store = new IdentityStore(setup, parts, () => {
      loads++;
      return Promise.reject(Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' }));
    });
    const named = (error: unknown): boolean =>
      error instanceof ConnectorError &&
      error.kind === 'refused' &&
      error.message.includes('@aws-sdk/client-identitystore: install it');
    for (let call = 1; call <= 2; call++) {
      await assert.rejects(
        store.call(never, (api) => api.listUsers({ IdentityStoreId: store.id })),
        named,
      );
      assert.equal(loads, call);
    }
    await store.close();
  });

  it('loads nothing before it is called, nor when it is closed', async () => {
    const store = new IdentityStore(setup, parts, () => assert.fail('loaded'));
    await store.close();
  });
});
