import assert from 'node:assert/strict';
import type { Kind } from './signed-texts.js';
import type { FuzzTarget } from './target.js';

/** What a kind of text is taken for: true for the genuine one. Fails when anything else is taken, or refused in other words. */
async function isTaken({ genuine, says, refusal, bare = (text) => text, read }: Kind, text: string): Promise<boolean> {
  let taken: unknown;
  try {
    taken = await read(text);
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, refusal, String(error));
  }
  if (taken !== undefined) {
    assert.equal(bare(text), genuine, 'something else than what was signed is taken');
    assert.deepEqual(taken, says);
  }
  return taken !== undefined;
}

/** Signed leases, key sets, releases, uninstall codes and checkpoints in which something was changed. */
export const signatures: FuzzTarget = {
  name: 'signatures',
  modules: ['/shared/dist/signed-token', '/shared/dist/lease/', '/shared/dist/release/', '/shared/dist/audit/'],
  seeds: async () => {
    const { forgeries, kinds } = await import('./signed-texts.js');
    const genuine = (await kinds()).map((kind) => kind.genuine);
    return [...genuine, ...(await forgeries())].map((text) => Buffer.from(text));
  },
  open: async () => {
    const { kinds } = await import('./signed-texts.js');
    const all = await kinds();
    return async (input) => {
      const text = input.toString();
      const taken = await Promise.all(all.map((kind) => isTaken(kind, text)));
      return taken.includes(true);
    };
  },
};
