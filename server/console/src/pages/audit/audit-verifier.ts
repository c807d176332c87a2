/** What the check of the whole log found. */
export type AuditVerdict =
  | { readonly ok: true; readonly origin: string; readonly size: number; readonly root: string }
  | { readonly ok: false; readonly problem: string };

/** A log as it was when it was last found whole. */
export interface SeenLog {
  readonly key: string;
  readonly origin: string;
  readonly size: number;
  readonly root: string;
}

type Bytes = Uint8Array<ArrayBuffer>;

const ED25519 = 0x01;
const encoder = new TextEncoder();

const sha256 = async (bytes: Bytes): Promise<Bytes> => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));

function joined(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** RFC 6962, section 2.1: leaves and nodes are hashed in different domains. */
const leafHash = (record: Uint8Array): Promise<Bytes> => sha256(joined(Uint8Array.of(0), record));
const nodeHash = (left: Uint8Array, right: Uint8Array): Promise<Bytes> => sha256(joined(Uint8Array.of(1), left, right));

/** Bytes of base 64; undefined when it is not spelled in the one way that it can be. */
function fromBase64(text: string): Bytes | undefined {
  try {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return toBase64(bytes) === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}

const toBase64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));

const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

/** The edge of a growing RFC 6962 tree: the complete subtrees that make it up, largest first. */
class Edge {
  private readonly nodes: { readonly level: number; readonly hash: Bytes }[] = [];
  size = 0;

  async append(leaf: Bytes): Promise<void> {
    let node = { level: 0, hash: leaf };
    for (let last = this.nodes.at(-1); last?.level === node.level; last = this.nodes.at(-1)) {
      this.nodes.pop();
      node = { level: node.level + 1, hash: await nodeHash(last.hash, node.hash) };
    }
    this.nodes.push(node);
    this.size += 1;
  }

  async root(): Promise<Bytes> {
    const [last, ...others] = this.nodes.map(({ hash }) => hash).reverse();
    if (last === undefined) return sha256(new Uint8Array());
    let root = last;
    for (const hash of others) root = await nodeHash(hash, root);
    return root;
  }
}

/**
 * Checks in the browser that records are exactly those that a signed checkpoint covers: RFC 6962 tree, C2SP checkpoint,
 * Ed25519. The same as `curfewctl audit verify`, with WebCrypto. Add the records in order, then call `finish`.
 */
export class AuditVerifier {
  private readonly edge = new Edge();
  private problem: string | undefined;

  /** `seen` is the log as it was found before: the new one must begin with it. */
  constructor(private readonly seen: SeenLog | undefined) {}

  /** How many records were added. */
  get size(): number {
    return this.edge.size;
  }

  /** Adds records with their indexes and base-64 bytes, in order. */
  async add(records: readonly { readonly index: number; readonly record: string }[]): Promise<void> {
    const leaves = await Promise.all(
      records.map(({ record }) => {
        const bytes = fromBase64(record);
        return bytes === undefined ? Promise.resolve(undefined) : leafHash(bytes);
      }),
    );
    for (const [at, leaf] of leaves.entries()) {
      const index = records[at]?.index;
      if (index !== this.edge.size)
        this.problem ??= `record ${this.edge.size} is missing: the log has record ${index ?? '?'} in its place`;
      if (leaf === undefined) this.problem ??= `record ${this.edge.size} is not in base 64`;
      else await this.edge.append(leaf);
      if (this.seen?.size === this.edge.size) await this.compare(this.seen);
    }
  }

  /** Compares with the checkpoint. The key should be known from elsewhere than the answer itself. */
  async finish(note: string, key: string): Promise<AuditVerdict> {
    if (this.problem !== undefined) return { ok: false, problem: this.problem };
    if (this.edge.size === 0 && note === '') return { ok: true, origin: '', size: 0, root: '' };
    const checkpoint = await openCheckpoint(note, key);
    if (checkpoint === undefined) return { ok: false, problem: 'the checkpoint is not signed by the key' };
    if (checkpoint.size !== this.edge.size)
      return {
        ok: false,
        problem: `the checkpoint covers ${checkpoint.size} records, the log has ${this.edge.size}`,
      };
    const root = toBase64(await this.edge.root());
    if (root !== checkpoint.root)
      return { ok: false, problem: 'at least one record is not the one that was signed: the root hashes differ' };
    const before = this.seen;
    if (before?.origin === checkpoint.origin && before.size > checkpoint.size)
      return {
        ok: false,
        problem: `the log has shrunk: this browser has seen ${before.size} records, now there are ${checkpoint.size}`,
      };
    return { ok: true, origin: checkpoint.origin, size: checkpoint.size, root };
  }

  private async compare(seen: SeenLog): Promise<void> {
    if (toBase64(await this.edge.root()) !== seen.root)
      this.problem ??= `the first ${seen.size} records are not those that this browser has seen before`;
  }
}

/** What a signed checkpoint says; undefined when the key has not signed it. */
async function openCheckpoint(
  note: string,
  key: string,
): Promise<{ readonly origin: string; readonly size: number; readonly root: string } | undefined> {
  const text = await openNote(note, key);
  const [origin = '', size = '', root = ''] = text?.split('\n') ?? [];
  if (origin === '' || !/^(0|[1-9][0-9]{0,15})$/.test(size) || fromBase64(root)?.length !== 32) return undefined;
  return { origin, size: Number(size), root };
}

async function openNote(note: string, key: string): Promise<string | undefined> {
  const verifier = await parseKey(key);
  const end = note.lastIndexOf('\n\n');
  if (verifier === undefined || end < 0 || !note.endsWith('\n')) return undefined;
  const text = note.slice(0, end + 1);
  let isSigned = false;
  for (const line of note.slice(end + 2, -1).split('\n')) {
    const [, name, encoded = ''] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? [];
    const bytes = fromBase64(encoded);
    if (name === undefined || bytes === undefined) return undefined;
    if (name !== verifier.name || !same(bytes.subarray(0, 4), verifier.id)) continue;
    isSigned ||= await crypto.subtle.verify('Ed25519', verifier.key, bytes.slice(4), encoder.encode(text));
  }
  return isSigned ? text : undefined;
}

async function parseKey(
  text: string,
): Promise<{ readonly name: string; readonly id: Bytes; readonly key: CryptoKey } | undefined> {
  const [, name, id, encoded] = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text) ?? [];
  const bytes = encoded === undefined ? undefined : fromBase64(encoded);
  if (name === undefined || bytes?.[0] !== ED25519 || bytes.length !== 33) return undefined;
  const wanted = (await sha256(joined(encoder.encode(`${name}\n`), bytes))).slice(0, 4);
  const hex = Array.from(wanted, (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (hex !== id) return undefined;
  return { name, id: wanted, key: await crypto.subtle.importKey('raw', bytes.slice(1), 'Ed25519', false, ['verify']) };
}

/** Whether this browser can check signatures of Ed25519 at all. */
export async function canVerify(): Promise<boolean> {
  try {
    // Some browsers have no subtle where the page is not from a secure address, whatever its type says.
    const subtle = (crypto as { readonly subtle?: SubtleCrypto }).subtle;
    if (subtle === undefined) return false;
    await subtle.importKey('raw', new Uint8Array(32), 'Ed25519', false, ['verify']);
    return true;
  } catch {
    return false;
  }
}
