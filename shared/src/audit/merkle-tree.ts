import { createHash, timingSafeEqual } from 'node:crypto';

/** A SHA-256 hash: 32 bytes. */
export type Hash = Buffer;

/** The place of a complete subtree: `level` 0 are the leaves; it covers leaves index·2^level to (index+1)·2^level - 1. */
interface NodePlace {
  readonly level: number;
  readonly index: number;
}

/** A complete subtree and its hash. These never change once written. */
export interface StoredNode extends NodePlace {
  readonly hash: Hash;
}

/** Gives the hash of a complete subtree that has been stored. */
export type ReadNode = (place: NodePlace) => Hash | Promise<Hash>;

const sha256 = (...parts: Uint8Array[]): Hash => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** RFC 6962, section 2.1: leaves and nodes are hashed in different domains. */
export const leafHash = (record: Uint8Array): Hash => sha256(Uint8Array.of(0), record);
export const nodeHash = (left: Uint8Array, right: Uint8Array): Hash => sha256(Uint8Array.of(1), left, right);

/** The root of a tree without leaves. */
export const EMPTY_ROOT: Hash = sha256();

/** The tree's right edge: enough to append leaves and to know the root. Not safe for use by two writers. */
export class MerkleFrontier {
  /** The complete subtrees that make up the tree, largest first. */
  private edge: StoredNode[] = [];

  private constructor(private count: number) {}

  static empty(): MerkleFrontier {
    return new MerkleFrontier(0);
  }

  /** Reads the edge of a tree of `size` leaves back. */
  static async load(size: number, read: ReadNode): Promise<MerkleFrontier> {
    const frontier = new MerkleFrontier(size);
    for (const place of completeSubtrees(0, size)) frontier.edge.push({ ...place, hash: await read(place) });
    return frontier;
  }

  get size(): number {
    return this.count;
  }

  /** Appends a leaf and returns every subtree that became complete, the leaf first: store them all. */
  append(leaf: Hash): StoredNode[] {
    let node: StoredNode = { level: 0, index: this.count, hash: leaf };
    const completed = [node];
    this.count += 1;
    for (let last = this.edge.at(-1); last?.level === node.level; last = this.edge.at(-1)) {
      this.edge.pop();
      node = { level: node.level + 1, index: last.index >> 1, hash: nodeHash(last.hash, node.hash) };
      completed.push(node);
    }
    this.edge.push(node);
    return completed;
  }

  root(): Hash {
    return foldRight(this.edge.map((node) => node.hash));
  }

  /** An independent copy, so that a transaction that fails can be forgotten. */
  clone(): MerkleFrontier {
    const copy = new MerkleFrontier(this.count);
    copy.edge = [...this.edge];
    return copy;
  }
}

/** The root of the first `size` leaves. */
export const rootAt = (size: number, read: ReadNode): Promise<Hash> =>
  size === 0 ? Promise.resolve(EMPTY_ROOT) : rangeHash(0, size, read);

/** Proves that leaf `index` is in the tree of `size` leaves (RFC 6962, 2.1.1). */
export async function inclusionProof(index: number, size: number, read: ReadNode): Promise<Hash[]> {
  if (index < 0 || index >= size) throw new RangeError(`no leaf ${index} in a tree of ${size}`);
  const path = async (start: number, end: number): Promise<Hash[]> => {
    if (end - start === 1) return [];
    const middle = start + split(end - start);
    return index < middle
      ? [...(await path(start, middle)), await rangeHash(middle, end, read)]
      : [...(await path(middle, end)), await rangeHash(start, middle, read)];
  };
  return path(0, size);
}

/** Proves that the tree of `oldSize` leaves is a prefix of the tree of `newSize` (RFC 6962, 2.1.2). */
export async function consistencyProof(oldSize: number, newSize: number, read: ReadNode): Promise<Hash[]> {
  if (oldSize < 0 || oldSize > newSize) throw new RangeError(`a tree of ${newSize} has no prefix of ${oldSize}`);
  if (oldSize === 0 || oldSize === newSize) return [];
  const subproof = async (old: number, start: number, end: number, whole: boolean): Promise<Hash[]> => {
    if (start + old === end) return whole ? [] : [await rangeHash(start, end, read)];
    const k = split(end - start);
    return old <= k
      ? [...(await subproof(old, start, start + k, whole)), await rangeHash(start + k, end, read)]
      : [...(await subproof(old - k, start + k, end, false)), await rangeHash(start, start + k, read)];
  };
  return subproof(oldSize, 0, newSize, true);
}

/** Whether the proof shows that the leaf stands at `index` under the root (RFC 9162, 2.1.3.2). */
export function verifyInclusion(leaf: Hash, index: number, size: number, root: Hash, proof: readonly Hash[]): boolean {
  if (index < 0 || index >= size) return false;
  let [node, last, hash] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else hash = nodeHash(hash, sibling);
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && same(hash, root);
}

/** Whether the proof shows that the old tree is a prefix of the new one (RFC 9162, 2.1.4.2). */
export function verifyConsistency(
  old: { readonly size: number; readonly root: Hash },
  now: { readonly size: number; readonly root: Hash },
  proof: readonly Hash[],
): boolean {
  if (old.size < 0 || old.size > now.size) return false;
  if (old.size === now.size) return proof.length === 0 && same(old.root, now.root);
  if (old.size === 0) return proof.length === 0 && same(old.root, EMPTY_ROOT);
  const path = isPowerOfTwo(old.size) ? [old.root, ...proof] : [...proof];
  const first = path.shift();
  if (first === undefined) return false;
  let [node, last] = [old.size - 1, now.size - 1];
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  let [oldHash, newHash] = [first, first];
  for (const sibling of path) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      oldHash = nodeHash(sibling, oldHash);
      newHash = nodeHash(sibling, newHash);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else newHash = nodeHash(newHash, sibling);
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && same(oldHash, old.root) && same(newHash, now.root);
}

const half = (value: number): number => Math.floor(value / 2);
const isPowerOfTwo = (value: number): boolean => Number.isInteger(Math.log2(value));
const same = (a: Hash, b: Hash): boolean => a.length === b.length && timingSafeEqual(a, b);

/** The largest power of two below `size` (RFC 6962 calls it k). */
const split = (size: number): number => 2 ** Math.floor(Math.log2(size - 1));

/** The complete subtrees that cover leaves [start, end), largest first. `start` is aligned to the first of them. */
function completeSubtrees(start: number, end: number): NodePlace[] {
  const places: NodePlace[] = [];
  for (let at = start; at < end;) {
    const level = Math.floor(Math.log2(end - at));
    places.push({ level, index: at / 2 ** level });
    at += 2 ** level;
  }
  return places;
}

async function rangeHash(start: number, end: number, read: ReadNode): Promise<Hash> {
  const hashes: Hash[] = [];
  for (const place of completeSubtrees(start, end)) hashes.push(await read(place));
  return foldRight(hashes);
}

function foldRight(hashes: readonly Hash[]): Hash {
  return hashes.length === 0 ? EMPTY_ROOT : hashes.reduceRight((right, left) => nodeHash(left, right));
}
