import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { ExportVerifier } from './audit-export.js';
import { checkpointIncarnation, checkpointOrigin, openCheckpoint, signCheckpoint } from './checkpoint.js';
import { leafHash, MerkleFrontier } from './merkle-tree.js';
import { noteVerificationKey, openNote } from './signed-note.js';

const key = { name: 'curfew/test', privateKey: generateKeyPairSync('ed25519').privateKey };
const other = { name: 'curfew/test', privateKey: generateKeyPairSync('ed25519').privateKey };
const vkey = noteVerificationKey(key);
const records = Array.from({ length: 9 }, (_, index) => Buffer.from(`{"event":${index}}`));

function checkpointOver(count: number): string {
  const frontier = MerkleFrontier.empty();
  for (const record of records.slice(0, count)) frontier.append(leafHash(record));
  return signCheckpoint({ origin: checkpointOrigin('abc', 2), size: count, root: frontier.root() }, key);
}

const verdict = (events: readonly (readonly [number, Uint8Array])[], note = checkpointOver(9), by = vkey) => {
  const verifier = new ExportVerifier();
  for (const [index, record] of events) verifier.add({ index, record });
  return verifier.finish(note, by);
};

describe('checkpoint', () => {
  it('opens what it signed, and tells the incarnation', () => {
    const checkpoint = openCheckpoint(checkpointOver(9), vkey);
    assert.ok(checkpoint);
    assert.equal(checkpoint.size, 9);
    assert.equal(checkpoint.origin, 'curfew/abc/2');
    assert.equal(checkpointIncarnation(checkpoint), 2);
  });

  it('opens nothing that another key of the same name signed, or that was changed in any character', () => {
    const note = checkpointOver(9);
    assert.equal(openCheckpoint(note, noteVerificationKey(other)), undefined);
    const textEnd = note.indexOf('\n\n');
    for (let at = 0; at < textEnd; at += 1)
      assert.equal(openNote(note.slice(0, at) + '#' + note.slice(at + 1), vkey), undefined, `character ${at}`);
  });

  it('opens a note with the signatures of others beside its own, and none with a line that is no signature', () => {
    const note = checkpointOver(9);
    assert.ok(openNote(`${note}\u2014 witness AAAAAAAA\n`, vkey) !== undefined);
    for (const wrong of [
      note.slice(0, -1),
      `${note}x\n`,
      `${note}\u2014 witness A\n`,
      `${note}\n`,
      note.replace(/=?\n$/, '\n'),
    ])
      assert.equal(openNote(wrong, vkey), undefined, JSON.stringify(wrong));
  });

  it('verifies the published example of the signed-note specification', () => {
    // The example key and note of the Go package golang.org/x/mod/sumdb/note, which the specification took over.
    const example = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
    const text = `If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n`;
    const note = `${text}\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;
    assert.equal(openNote(note, example), text);
  });
});

describe('audit export', () => {
  const all = records.map((record, index) => [index, record] as const);

  it('accepts exactly the records that were signed', () => {
    assert.equal(verdict(all).ok, true);
  });

  const attacks: { name: string; events: (readonly [number, Uint8Array])[]; problem: RegExp }[] = [
    {
      name: 'a changed record',
      events: all.map(([i, r]) => [i, i === 4 ? Buffer.from('{}') : r]),
      problem: /root hashes differ/,
    },
    { name: 'a removed record', events: all.filter(([i]) => i !== 4), problem: /record 4 is missing/ },
    {
      name: 'a removed record, renumbered',
      events: all.filter(([i]) => i !== 4).map(([, r], i) => [i, r]),
      problem: /covers 9 records, the export has 8/,
    },
    {
      name: 'two swapped records',
      events: all.map(([i]) => [i, records[i === 2 ? 3 : i === 3 ? 2 : i] ?? Buffer.of()]),
      problem: /root hashes differ/,
    },
    {
      name: 'an appended record',
      events: [...all, [9, Buffer.from('{}')]],
      problem: /covers 9 records, the export has 10/,
    },
    { name: 'a cut tail', events: all.slice(0, 8), problem: /covers 9 records, the export has 8/ },
  ];
  for (const { name, events, problem } of attacks)
    it(`finds ${name}`, () => {
      const result = verdict(events);
      assert.ok(!result.ok);
      assert.match(result.problem, problem);
    });

  it('refuses a checkpoint of another key', () => {
    const result = verdict(all, checkpointOver(9), noteVerificationKey(other));
    assert.ok(!result.ok);
    assert.match(result.problem, /not signed by the given key/);
  });
});
