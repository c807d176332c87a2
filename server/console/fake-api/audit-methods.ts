import { leafHash, MerkleFrontier, noteVerificationKey, signCheckpoint } from '@curfew/shared';
import { createPrivateKey } from 'node:crypto';
import type { CallHandlers } from './handlers.js';
import { pageOf } from './paging.js';
import type { World } from './world.js';

/** The key of the fake log: always the same one, which everybody can know. */
const KEY = {
  name: 'curfew/fake',
  privateKey: createPrivateKey({
    // PKCS #8 of an Ed25519 key (RFC 8410, section 7) whose 32 bytes are all 7.
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)]),
    format: 'der',
    type: 'pkcs8',
  }),
};

export const AUDIT_KEY = noteVerificationKey(KEY);

/** The checkpoint over the whole log, signed. */
export function checkpointNote(world: World): string {
  const frontier = MerkleFrontier.empty();
  for (const { record = '' } of world.audit) frontier.append(leafHash(Buffer.from(record, 'base64')));
  return signCheckpoint({ origin: 'curfew/fake/1', size: frontier.size, root: frontier.root() }, KEY);
}

/** The audit log. */
export const auditMethods: Pick<CallHandlers, 'AuditService/ListAuditEvents' | 'AuditService/GetCheckpoint'> = {
  'AuditService/ListAuditEvents': (world, _caller, request) => {
    const is = (given: string | undefined, value: string | undefined): boolean =>
      given === undefined || given === '' || given === value;
    const fitting = world.audit.filter(
      (event) =>
        (event.type ?? '').startsWith(request.typePrefix ?? '') &&
        is(request.actor, event.actor) &&
        is(request.subject, event.subject),
    );
    const page = pageOf(fitting, request, { index: (event) => Number(event.index) }, 'index desc');
    return { events: page.items, nextPageToken: page.nextPageToken };
  },
  'AuditService/GetCheckpoint': (world) => ({ checkpoint: { note: checkpointNote(world) }, auditKey: AUDIT_KEY }),
};
