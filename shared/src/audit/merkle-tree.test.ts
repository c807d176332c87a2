import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import {
  consistencyProof,
  EMPTY_ROOT,
  inclusionProof,
  leafHash,
  MerkleFrontier,
  nodeHash,
  rootAt,
  verifyConsistency,
  verifyInclusion,
  type Hash,
  type ReadNode,
} from './merkle-tree.js';

/** RFC 6962, 2.1, written down word for word, as the yardstick. */
function referenceRoot(leaves: readonly Buffer[]): Hash {
  if (leaves.length === 0) return createHash('sha256').digest();
  if (leaves.length === 1) return leafHash(leaves[0] ?? Buffer.alloc(0));
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(referenceRoot(leaves.slice(0, k)), referenceRoot(leaves.slice(k)));
}

const leaves = Array.from({ length: 70 }, (_, index) => Buffer.from(`record ${index}`));

function grow(count: number): { frontier: MerkleFrontier; read: ReadNode } {
  const nodes = new Map<string, Hash>();
  const frontier = MerkleFrontier.empty();
  for (const leaf of leaves.slice(0, count))
    for (const node of frontier.append(leafHash(leaf))) nodes.set(`${node.level}/${node.index}`, node.hash);
  const read: ReadNode = ({ level, index }) => {
    const hash = nodes.get(`${level}/${index}`);
    if (hash === undefined) throw new Error(`node ${level}/${index} was never stored`);
    return hash;
  };
  return { frontier, read };
}

describe('merkle tree', () => {
  const { read } = grow(70);

  it('gives the roots of RFC 6962 at every size, from the edge and from stored nodes', async () => {
    assert.ok(EMPTY_ROOT.equals(referenceRoot([])));
    for (let size = 0; size <= 70; size += 1) {
      const expected = referenceRoot(leaves.slice(0, size));
      assert.ok(grow(size).frontier.root().equals(expected), `edge at ${size}`);
      assert.ok((await rootAt(size, read)).equals(expected), `nodes at ${size}`);
      assert.ok((await MerkleFrontier.load(size, read)).root().equals(expected), `loaded at ${size}`);
    }
  });

  it('proves the inclusion of every leaf and of no other', async () => {
    for (let size = 1; size <= 40; size += 1) {
      const root = await rootAt(size, read);
      for (let index = 0; index < size; index += 1) {
        const proof = await inclusionProof(index, size, read);
        assert.ok(verifyInclusion(leafHash(leaves[index] ?? Buffer.alloc(0)), index, size, root, proof));
        assert.ok(!verifyInclusion(leafHash(Buffer.from('forged')), index, size, root, proof));
      }
    }
  });

  it('proves the consistency of every pair of sizes', async () => {
    for (let now = 0; now <= 70; now += 1)
      for (let old = 0; old <= now; old += 1) {
        const proof = await consistencyProof(old, now, read);
        const [a, b] = [await rootAt(old, read), await rootAt(now, read)];
        assert.ok(verifyConsistency({ size: old, root: a }, { size: now, root: b }, proof), `${old} in ${now}`);
      }
  });

  it('refuses a consistency proof after any change of it, of a root or of a size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 69 }), fc.nat(), fc.nat(), fc.nat(255), async (old, a, b, bit) => {
        const size = old + 1 + (a % (70 - old));
        const proof = await consistencyProof(old, size, read);
        const roots = [await rootAt(old, read), await rootAt(size, read), ...proof];
        const victim = Buffer.from(roots[b % roots.length] ?? Buffer.alloc(32));
        victim[bit >> 3] = (victim[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const [oldRoot, newRoot, ...changed] = roots.map((hash, at) => (at === b % roots.length ? victim : hash));
        assert.ok(oldRoot && newRoot);
        assert.equal(verifyConsistency({ size: old, root: oldRoot }, { size, root: newRoot }, changed), false);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses a proof that is too short or too long', async () => {
    const [old, now] = [
      { size: 11, root: await rootAt(11, read) },
      { size: 60, root: await rootAt(60, read) },
    ];
    const proof = await consistencyProof(11, 60, read);
    assert.ok(verifyConsistency(old, now, proof));
    assert.equal(verifyConsistency(old, now, proof.slice(0, -1)), false);
    assert.equal(verifyConsistency(old, now, [...proof, EMPTY_ROOT]), false);
    assert.equal(verifyConsistency(now, old, proof), false);
  });
});
