import { itKeepsTheConnectorContract } from '../../support/connector-contract.js';
import { itSurvivesLostAnswers } from '../../support/network-faults.js';
import { PostgresServer, whyNoPostgres } from '../../support/postgres-server.js';
import { postgresStage } from '../../support/postgres-stage.js';

for (const version of [15, 18] as const) {
  const reason = whyNoPostgres(version);
  describe(`roles of PostgreSQL ${version}`, function () {
    if (reason !== '') {
      it(`left out: ${reason}`);
      return;
    }
    this.timeout(60_000);
    let server: PostgresServer;
    before(async () => {
      server = await PostgresServer.start(version);
    });
    after(() => server.stop());

    itKeepsTheConnectorContract(() => postgresStage(server));

    describe('behind a bad network', () => itSurvivesLostAnswers(() => postgresStage(server)));
  });
}
