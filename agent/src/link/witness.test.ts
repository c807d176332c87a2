import { CheckpointUpdate } from '@curfew/proto';
import {
  checkpointOrigin,
  consistencyProof,
  leafHash,
  MerkleFrontier,
  noteVerificationKey,
  signCheckpoint,
  type Hash,
} from '@curfew/shared';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { judgeCheckpoint } from './witness.js';

const key = { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey };
const otherKey = { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey };
const pinned = noteVerificationKey(key);

/** A log of records, as a server keeps it; `story` tells one log from another. */
class Log {
  private readonly nodes = new Map<string, Hash>();
  private readonly roots: Hash[] = [];

  constructor(
    story: string,
    size: number,
    private readonly origin = checkpointOrigin('abc', 1),
    /** From which record on the story is told. */
    from = 0,
  ) {
    const frontier = MerkleFrontier.empty();
    this.roots.push(frontier.root());
    for (let index = 0; index < size; index++) {
      const record = Buffer.from(`${index} ${index < from ? 'truth' : story}`);
      for (const node of frontier.append(leafHash(record))) this.nodes.set(`${node.level}/${node.index}`, node.hash);
      this.roots.push(frontier.root());
    }
  }

  note(size: number, by = key): string {
    return signCheckpoint({ origin: this.origin, size, root: this.roots[size]! }, by);
  }

  async update(from: number, to: number, by = key): Promise<CheckpointUpdate> {
    const proof = await consistencyProof(from, to, ({ level, index }) => this.nodes.get(`${level}/${index}`)!);
    return CheckpointUpdate.fromPartial({ checkpoint: { note: this.note(to, by) }, consistencyProof: proof });
  }
}

const truth = new Log('truth', 20);
/** Follows the truth up to record 9, then tells something else. */
const fork = new Log('lies', 20, checkpointOrigin('abc', 1), 10);
const kept = truth.note(12);

describe('a witness of the audit log', () => {
  const verdict = (update: CheckpointUpdate, keeps = kept) => judgeCheckpoint(keeps, update, pinned);

  it('keeps the first checkpoint that it sees, then every longer one that is proven to extend it', async () => {
    const first = verdict(await truth.update(0, 3), '');
    assert.deepEqual(first, { accepted: true, note: truth.note(3), size: 3 });
    for (let to = 12; to <= 20; to++)
      assert.deepEqual(verdict(await truth.update(12, to)), { accepted: true, note: truth.note(to), size: to });
  });

  it('refuses every truncated log, also one with a proof', async () => {
    for (let to = 0; to < 12; to++) {
      const update = await truth.update(to, to);
      const { accepted, ...told } = verdict(update);
      assert.equal(accepted, false, `cut to ${to}`);
      assert.deepEqual(told, { size: to, detail: `the log has ${to} records, this device has seen 12` });
    }
  });

  it('refuses every log that differs from what it has seen, however long that has become', async () => {
    for (let to = 12; to <= 20; to++)
      for (const proof of [await fork.update(12, to), await fork.update(10, to), await truth.update(12, to)]) {
        const forged = { ...proof, checkpoint: { note: fork.note(to) } };
        assert.deepEqual(verdict(forged), {
          accepted: false,
          size: to,
          detail: 'the log is not an extension of the one that this device has seen',
        });
      }
  });

  it('refuses a longer log without its proof, or with another', async () => {
    const update = await truth.update(12, 20);
    for (const proof of [[], update.consistencyProof.slice(1), (await truth.update(11, 20)).consistencyProof])
      assert.equal(verdict({ ...update, consistencyProof: proof }).accepted, false);
  });

  it('refuses what the pinned key has not signed', async () => {
    for (const update of [await truth.update(12, 20, otherKey), CheckpointUpdate.fromPartial({})])
      assert.deepEqual(verdict(update), {
        accepted: false,
        size: 0,
        detail: 'the checkpoint is not signed by the pinned key',
      });
  });

  it('follows the ledger into a newer incarnation only', async () => {
    const next = new Log('truth', 3, checkpointOrigin('abc', 2));
    const accepted = verdict(await next.update(0, 3));
    assert.deepEqual(accepted, { accepted: true, note: next.note(3), size: 3 });
    const back = verdict(await truth.update(12, 20), next.note(3));
    assert.deepEqual(back, {
      accepted: false,
      size: 20,
      detail: 'the log is curfew/abc/1, this device has seen curfew/abc/2',
    });
    const other = new Log('truth', 20, checkpointOrigin('def', 1));
    assert.equal(verdict(await other.update(12, 20)).accepted, false, 'the log of another ledger');
  });
});
