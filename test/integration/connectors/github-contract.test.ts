import assert from 'node:assert/strict';
import { BROKEN_CONNECTORS } from '../../support/broken-connectors.js';
import { brokenPromises, itKeepsTheConnectorContract } from '../../support/connector-contract.js';
import { githubStage } from '../../support/github-stage.js';

describe('the connector for GitHub teams keeps the contract', function () {
  this.timeout(60_000);
  describe('with github.com', () => {
    itKeepsTheConnectorContract(() => githubStage());
  });
  describe('with GitHub Enterprise Server, and a team that has a child team with the same people', () => {
    itKeepsTheConnectorContract(async () => {
      const stage = await githubStage('/api/v3');
      stage.server.childTeam = new Set(stage.people.map(({ subject }) => stage.server.idOf(subject) ?? 0));
      return stage;
    });
  });
});

describe('the contract catches of a connector for GitHub teams', function () {
  this.timeout(60_000);
  for (const [name, broken] of Object.entries(BROKEN_CONNECTORS))
    it(`the fault ${name}`, async function () {
      this.timeout(120_000);
      const promises = await brokenPromises(async () => {
        const stage = await githubStage();
        return { ...stage, connector: broken(stage.connector, stage.people) };
      });
      assert.notDeepEqual(promises, []);
    });
});
