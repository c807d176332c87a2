import type { Person } from '@curfew/server/parts';
import assert from 'node:assert/strict';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BROKEN_CONNECTORS } from '../../support/broken-connectors.js';
import { assertIsCaught } from '../../support/caught-faults.js';
import { brokenPromises, itKeepsTheConnectorContract, type ContractStage } from '../../support/connector-contract.js';
import { connectorParts, personOf } from '../../support/connector-parts.js';
import { TEXT_FILE_KIND } from '../../support/example-connector.js';
import { scratchFolder } from '../../support/scratch.js';

async function textFileStage(): Promise<ContractStage> {
  const folder = scratchFolder('text-file');
  const file = path.join(folder, 'ops.txt');
  writeFileSync(file, 'alice no\nbob no\n');
  const lineOf = ({ userName }: Person): RegExp => new RegExp(`^${userName} (yes|no)\n`, 'm');
  const edit = (person: Person, line: string): void =>
    writeFileSync(file, readFileSync(file, 'utf8').replace(lineOf(person), line));
  return {
    connector: TEXT_FILE_KIND.open({ settings: {}, secrets: {}, target: { file } }, connectorParts()),
    people: [personOf('alice'), personOf('bob')],
    stranger: personOf('mallory'),
    truth: async (person) => lineOf(person).exec(readFileSync(file, 'utf8'))?.[1] === 'yes',
    byHand: async (person, has) => edit(person, `${person.userName} ${has ? 'yes' : 'no'}\n`),
    cutOff: async () => {
      renameSync(file, `${file}.away`);
      return async () => renameSync(`${file}.away`, file);
    },
    forget: async (person) => edit(person, ''),
    close: async () => rmSync(folder, { recursive: true }),
  };
}

describe('the connector of the documents', function () {
  this.timeout(60_000);

  // A file system that does not answer cannot be made here.
  itKeepsTheConnectorContract(textFileStage, ['hang']);

  for (const [name, breakIt] of Object.entries(BROKEN_CONNECTORS))
    it(`does not pass the contract with the fault ${name}`, async () => {
      const broken = await brokenPromises(async () => {
        const stage = await textFileStage();
        return { ...stage, connector: breakIt(stage.connector, stage.people) };
      });
      assertIsCaught(name, broken);
    });

  it('has fewer than 100 lines', () => {
    const source = new URL('../../../support/example-connector.ts', import.meta.url);
    assert.ok(readFileSync(source, 'utf8').split('\n').length < 100);
  });
});
