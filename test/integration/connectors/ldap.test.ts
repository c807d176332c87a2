import { itKeepsTheConnectorContract } from '../../support/connector-contract.js';
import { ldapStage } from '../../support/ldap-stage.js';
import { itSurvivesLostAnswers } from '../../support/network-faults.js';
import { describeOn } from '../../support/machine-needs.js';
import { SlapdServer } from '../../support/slapd-server.js';

describeOn([{ program: 'slapd' }, { program: 'ldapsearch' }], 'LDAP groups', function () {
  this.timeout(60_000);
  let slapd: SlapdServer;
  before(async () => {
    slapd = await SlapdServer.start();
  });
  after(() => slapd.stop());

  for (const groupClass of ['groupOfNames', 'groupOfUniqueNames', 'posixGroup'] as const) {
    describe(`of the class ${groupClass}`, () => itKeepsTheConnectorContract(() => ldapStage(slapd, groupClass)));
  }

  describe('behind a bad network', () => itSurvivesLostAnswers(() => ldapStage(slapd, 'groupOfNames')));
});
