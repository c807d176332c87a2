import { checkpointOrigin, leafHash, MerkleFrontier, noteVerificationKey, signCheckpoint } from '@curfew/shared';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { AuditVerifier, canVerify, type AuditVerdict, type SeenLog } from './audit-verifier.js';

const key = { name: 'curfew/test', privateKey: generateKeyPairSync('ed25519').privateKey };
const other = { name: 'curfew/test', privateKey: generateKeyPairSync('ed25519').privateKey };
const vkey = noteVerificationKey(key);
const records = Array.from({ length: 70 }, (_one, index) => Buffer.from(`{"index":${index}}`));

function noteOver(count: number, by = key): string {
  const frontier = MerkleFrontier.empty();
  for (const record of records.slice(0, count)) frontier.append(leafHash(record));
  return signCheckpoint({ origin: checkpointOrigin('abc', 1), size: count, root: frontier.root() }, by);
}

const lines = (count: number): { index: number; record: string }[] =>
  records.slice(0, count).map((record, index) => ({ index, record: record.toString('base64') }));

async function verdict(
  events: readonly { index: number; record: string }[],
  note: string,
  seen?: SeenLog,
  batch = 7,
): Promise<AuditVerdict> {
  const verifier = new AuditVerifier(seen);
  for (let at = 0; at < events.length; at += batch) await verifier.add(events.slice(at, at + batch));
  return verifier.finish(note, vkey);
}

const problem = (found: AuditVerdict): string => (found.ok ? 'none' : found.problem);

describe('the check of the audit log in a browser', () => {
  it('is possible here', async () => {
    assert.equal(await canVerify(), true);
  });

  it('agrees with the server’s own code on whole logs of every size', async () => {
    for (let size = 1; size <= 70; size++) {
      const found = await verdict(lines(size), noteOver(size));
      assert.equal(found.ok, true, `${size}: ${problem(found)}`);
    }
  });

  const whole = lines(20);
  const attacks = [
    {
      name: 'a changed record',
      events: whole.map((line) => (line.index === 4 ? { ...line, record: btoa('{}') } : line)),
      found: /root hashes differ/,
    },
    { name: 'a removed record', events: whole.filter(({ index }) => index !== 4), found: /record 4 is missing/ },
    {
      name: 'a removed record, renumbered',
      events: whole.filter(({ index }) => index !== 4).map((line, index) => ({ ...line, index })),
      found: /covers 20 records, the log has 19/,
    },
    { name: 'a cut tail', events: whole.slice(0, 19), found: /covers 20 records, the log has 19/ },
    {
      name: 'two swapped records',
      events: whole.map((_line, index) => ({
        index,
        record: whole[index === 2 ? 3 : index === 3 ? 2 : index]?.record ?? '',
      })),
      found: /root hashes differ/,
    },
    {
      name: 'a record that is spelled in another way',
      events: whole.map((line) => (line.index === 4 ? { ...line, record: line.record.replace(/=*$/, '') } : line)),
      found: /record 4 is not in base 64/,
    },
  ];
  for (const { name, events, found } of attacks)
    it(`finds ${name}`, async () => {
      assert.match(problem(await verdict(events, noteOver(20))), found);
    });

  it('refuses a checkpoint of another key, and one of which a letter was changed', async () => {
    assert.match(problem(await verdict(whole, noteOver(20, other))), /not signed by the key/);
    const note = noteOver(20);
    assert.match(problem(await verdict(whole, note.replace('\n20\n', '\n21\n'))), /not signed by the key/);
  });

  it('finds that the log is not the one that was seen before, and that it has shrunk', async () => {
    const before = await verdict(lines(10), noteOver(10));
    assert.ok(before.ok);
    const seen: SeenLog = { key: vkey, origin: before.origin, size: before.size, root: before.root };
    assert.equal((await verdict(whole, noteOver(20), seen)).ok, true);
    const another = { ...seen, root: btoa('x'.repeat(32)) };
    assert.match(problem(await verdict(whole, noteOver(20), another)), /first 10 records are not those/);
    assert.match(problem(await verdict(lines(5), noteOver(5), seen)), /has shrunk/);
  });
});
