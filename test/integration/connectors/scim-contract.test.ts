import assert from 'node:assert/strict';
import { BROKEN_CONNECTORS } from '../../support/broken-connectors.js';
import { brokenPromises, itKeepsTheConnectorContract } from '../../support/connector-contract.js';
import type { ScimKnobs } from '../../support/scim-server.js';
import { scimStage } from '../../support/scim-stage.js';

const SERVERS: readonly { name: string; knobs: Partial<ScimKnobs>; settings?: Record<string, string> }[] = [
  { name: 'a plain server', knobs: {} },
  { name: 'a server with ETags that keeps to RFC 7644', knobs: { taste: 'rfc7644', etags: true } },
  { name: 'a server made for Entra ID', knobs: { taste: 'entra' }, settings: { dialect: 'entra', people_by: 'email' } },
  { name: 'a server made for Okta', knobs: { taste: 'okta' }, settings: { dialect: 'okta', people_by: 'external_id' } },
  { name: 'a server whose readers lag behind', knobs: { laggingReads: 2 } },
  { name: 'a server that ignores filters', knobs: { ignoresFilters: true } },
];

describe('the connector for SCIM groups keeps the contract', function () {
  this.timeout(60_000);
  for (const { name, knobs, settings } of SERVERS)
    describe(`with ${name}`, () => {
      itKeepsTheConnectorContract(() => scimStage(knobs, settings));
    });
});

describe('the contract catches of a connector for SCIM groups', function () {
  this.timeout(60_000);
  for (const [name, broken] of Object.entries(BROKEN_CONNECTORS))
    it(`the fault ${name}`, async function () {
      this.timeout(120_000);
      const promises = await brokenPromises(async () => {
        const stage = await scimStage();
        return { ...stage, connector: broken(stage.connector, stage.people) };
      });
      assert.notDeepEqual(promises, []);
    });
});
