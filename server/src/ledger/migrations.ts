import type { Kysely } from 'kysely';
import { up as first } from './migrations/0001-ledger.js';
import { up as signIn } from './migrations/0002-sign-in.js';
import { up as policies } from './migrations/0003-policies.js';
import { up as notifications } from './migrations/0004-notifications.js';
import { up as lists } from './migrations/0005-lists.js';
import { up as signInEnds } from './migrations/0006-sign-in-ends.js';
import { up as search } from './migrations/0007-search.js';
import { up as timedAccess } from './migrations/0008-timed-access.js';
import { up as drift } from './migrations/0009-drift.js';
import { up as sessionChanges } from './migrations/0010-session-changes.js';
import { up as processes } from './migrations/0011-session-processes.js';
import { up as recordings } from './migrations/0012-recordings.js';
import { up as undo } from './migrations/0013-undo-changes.js';
import { up as silent } from './migrations/0014-silent-devices.js';
import { up as sid } from './migrations/0015-account-sids.js';
import { up as desktop } from './migrations/0016-desktop-prompts.js';
import { up as releases } from './migrations/0017-releases.js';
import { up as reEnrolment } from './migrations/0018-re-enrolment.js';
import { up as observability } from './migrations/0019-observability.js';
import { up as lossesFirst } from './migrations/0020-losses-first.js';
import { up as heldUntil } from './migrations/0021-held-until.js';
import { up as updateTrouble } from './migrations/0022-update-trouble.js';

/** One step of the schema. */
interface SchemaStep {
  up(db: Kysely<unknown>): Promise<void>;
}

/** Every step of the ledger's schema, in the order in which they are done. */
export const MIGRATIONS: Readonly<Record<string, SchemaStep>> = {
  '0001-ledger': { up: first },
  '0002-sign-in': { up: signIn },
  '0003-policies': { up: policies },
  '0004-notifications': { up: notifications },
  '0005-lists': { up: lists },
  '0006-sign-in-ends': { up: signInEnds },
  '0007-search': { up: search },
  '0008-timed-access': { up: timedAccess },
  '0009-drift': { up: drift },
  '0010-session-changes': { up: sessionChanges },
  '0011-session-processes': { up: processes },
  '0012-recordings': { up: recordings },
  '0013-undo-changes': { up: undo },
  '0014-silent-devices': { up: silent },
  '0015-account-sids': { up: sid },
  '0016-desktop-prompts': { up: desktop },
  '0017-releases': { up: releases },
  '0018-re-enrolment': { up: reEnrolment },
  '0019-observability': { up: observability },
  '0020-losses-first': { up: lossesFirst },
  '0021-held-until': { up: heldUntil },
  '0022-update-trouble': { up: updateTrouble },
};
