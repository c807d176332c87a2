import {
  canonicalJson,
  checkpointOrigin,
  leafHash,
  MerkleFrontier,
  noteVerificationKey,
  signCheckpoint,
} from '@curfew/shared';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { eventLine, sealLine } from './audit-export-file.js';
import { checkExport } from './audit-verify.js';

const COUNT = 36;
const signer = { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey };
const forger = { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey };
const key = noteVerificationKey(signer);

const record = (index: number, reason = 'why'): Buffer =>
  Buffer.from(canonicalJson({ index, time: 1_700_000_000_000 + index, type: 'session.revoked', data: { reason } }));

function seal(records: readonly Buffer[], by = signer): string {
  const frontier = MerkleFrontier.empty();
  for (const one of records) frontier.append(leafHash(one));
  const origin = checkpointOrigin('0123456789abcdef', 1);
  return sealLine(signCheckpoint({ origin, size: records.length, root: frontier.root() }, by), noteVerificationKey(by));
}

const records = Array.from({ length: COUNT }, (_, index) => record(index));
const lines = records.map((one, index) => eventLine(index, one));
const sealed = seal(records);

/** What is wrong with an export; '' when nothing is. */
async function problemOf(text: readonly string[] | Buffer, givenKey?: string): Promise<string> {
  const bytes = Buffer.isBuffer(text) ? text : Buffer.from(text.join(''));
  const { verdict } = await checkExport([bytes], givenKey);
  return verdict.ok ? '' : verdict.problem;
}

/** Gives a line another place in the log, as somebody would who wants the count to be right. */
const renumbered = (all: readonly string[]): string[] =>
  all.map((line, index) => line.replace(/"index":\d+/, `"index":${index}`));

describe('audit verify', function () {
  this.timeout(60_000);

  it('finds an export intact that is just as it was written, however it arrives', async () => {
    const bytes = Buffer.from([...lines, sealed].join(''));
    assert.equal(await problemOf(bytes), '');
    assert.equal(await problemOf(bytes, key), '');
    for (const size of [1, 7, 4096]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
        bytes.subarray(at * size, (at + 1) * size),
      );
      assert.equal((await checkExport(chunks, undefined)).verdict.ok, true, `in chunks of ${size}`);
    }
  });

  it('finds any record removed, changed, doubled, inserted or swapped with any other, renumbered or not', async () => {
    let tried = 0;
    const finds = async (changed: readonly string[], what: string): Promise<void> => {
      for (const all of [changed, renumbered(changed)]) {
        assert.notEqual(await problemOf([...all, sealed]), '', what);
        tried++;
      }
    };
    for (let at = 0; at < COUNT; at++) {
      const [line, other] = [lines[at]!, eventLine(at, record(at, 'another'))];
      await finds(lines.toSpliced(at, 1), `record ${at} removed`);
      await finds(lines.with(at, other), `record ${at} changed`);
      await finds(lines.toSpliced(at, 0, line), `record ${at} doubled`);
      await finds(lines.toSpliced(at, 0, other), `a record inserted before ${at}`);
      await finds(lines.slice(0, at), `cut at ${at}`);
      for (let with_ = at + 1; with_ < COUNT; with_++)
        await finds(lines.with(at, lines[with_]!).with(with_, line), `records ${at} and ${with_} swapped`);
    }
    await finds([...lines, eventLine(COUNT, record(COUNT))], 'a record appended');
    assert.equal(tried, 2 * (5 * COUNT + (COUNT * (COUNT - 1)) / 2 + 1));
  });

  it('finds every single flipped bit, wherever it is', async () => {
    const bytes = Buffer.from([...lines.slice(0, 5), seal(records.slice(0, 5))].join(''));
    assert.equal(await problemOf(bytes), '');
    const missed: string[] = [];
    for (let at = 0; at < bytes.length; at++)
      for (let bit = 0; bit < 8; bit++) {
        const flipped = Buffer.from(bytes);
        flipped[at]! ^= 1 << bit;
        if ((await problemOf(flipped)) === '') missed.push(`bit ${bit} of byte ${at}`);
      }
    assert.deepEqual(missed, []);
  });

  it('finds every byte that was removed, doubled, or is another line end or space', async () => {
    const bytes = Buffer.from([...lines.slice(0, 5), seal(records.slice(0, 5))].join(''));
    const missed: string[] = [];
    for (let at = 0; at < bytes.length; at++) {
      const [before, here, after] = [bytes.subarray(0, at), bytes.subarray(at, at + 1), bytes.subarray(at + 1)];
      for (const instead of ['', here.toString('latin1').repeat(2), ' ', '\r', '\n', '\t']) {
        const changed = Buffer.concat([before, Buffer.from(instead, 'latin1'), after]);
        if (changed.equals(bytes)) continue;
        if ((await problemOf(changed)) === '') missed.push(`${JSON.stringify(instead)} at ${at}`);
      }
    }
    assert.deepEqual(missed, []);
  });

  it('finds what is after the checkpoint, a missing checkpoint, and a checkpoint by another hand', async () => {
    assert.match(await problemOf([...lines, sealed, sealed]), /follows the checkpoint/);
    assert.match(await problemOf([...lines, sealed, eventLine(COUNT, record(COUNT))]), /follows the checkpoint/);
    assert.match(await problemOf([...lines, sealed, '\n']), /is not a line of an export/);
    assert.match(await problemOf(lines), /ends without its checkpoint/);
    assert.match(await problemOf([]), /ends without its checkpoint/);
    const { checkpoint } = JSON.parse(sealed) as { checkpoint: string };
    const cosigned = sealLine(`${checkpoint}\u2014 stranger AAAA\n`, key);
    assert.match(await problemOf([...lines, cosigned]), /carries more than one signature/);
    const forged = records.map((_, index) => record(index, 'forged'));
    const export_ = [...forged.map((one, index) => eventLine(index, one)), seal(forged, forger)];
    assert.equal(await problemOf(export_), '', 'a whole log of somebody else is intact in itself');
    assert.match(await problemOf(export_, key), /names another key/);
  });
});
