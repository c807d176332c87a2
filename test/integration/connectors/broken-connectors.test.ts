import assert from 'node:assert/strict';
import { BROKEN_CONNECTORS } from '../../support/broken-connectors.js';
import { brokenPromises, type ContractStage } from '../../support/connector-contract.js';
import { ldapStage } from '../../support/ldap-stage.js';
import { whyNot } from '../../support/machine-needs.js';
import { PostgresServer, whyNoPostgres } from '../../support/postgres-server.js';
import { postgresStage } from '../../support/postgres-stage.js';
import { SlapdServer } from '../../support/slapd-server.js';

/** The promise by which each fault is seen first. */
const SEEN_BY: Readonly<Record<string, string>> = {
  lostRemove: 'takes it away from the one who is meant and from nobody else',
  wrongSubject: 'gives the resource to the one who is meant and to nobody else',
  addsTwice: 'gives twice as once, and takes twice as once',
};

interface Resource {
  readonly name: string;
  readonly reason: string;
  readonly start: () => Promise<{ readonly stage: () => Promise<ContractStage>; readonly stop: () => Promise<void> }>;
}

const RESOURCES: readonly Resource[] = [
  {
    name: 'LDAP groups',
    reason: whyNot([{ program: 'slapd' }, { program: 'ldapsearch' }]),
    start: async () => {
      const slapd = await SlapdServer.start();
      return { stage: () => ldapStage(slapd, 'groupOfNames'), stop: () => slapd.stop() };
    },
  },
  {
    name: 'roles of PostgreSQL',
    reason: whyNoPostgres(15),
    start: async () => {
      const server = await PostgresServer.start(15);
      return { stage: () => postgresStage(server), stop: () => server.stop() };
    },
  },
];

for (const { name, reason, start } of RESOURCES) {
  describe(`the contract of connectors, with faults put into ${name}`, function () {
    if (reason !== '') {
      it(`left out: ${reason}`);
      return;
    }
    this.timeout(120_000);
    let resource: Awaited<ReturnType<Resource['start']>>;
    before(async () => {
      resource = await start();
    });
    after(() => resource.stop());

    for (const [fault, breakIt] of Object.entries(BROKEN_CONNECTORS)) {
      it(`sees ${fault}`, async () => {
        const broken = await brokenPromises(async () => {
          const stage = await resource.stage();
          return { ...stage, connector: breakIt(stage.connector, stage.people) };
        });
        const titles = broken.map(({ title }) => title);
        assert.ok(titles.includes(SEEN_BY[fault] ?? ''), `seen by: ${titles.join('; ')}`);
        for (const { title, error } of broken)
          assert.ok(error instanceof assert.AssertionError, `${title}: ${String(error)}`);
      });
    }
  });
}
