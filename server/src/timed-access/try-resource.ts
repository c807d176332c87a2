import { CurfewError, type Clock } from '@curfew/shared';
import { ConnectorError, type Connector } from '../connectors/connector.js';
import type { Ledger } from '../ledger/ledger.js';
import { DEVICE_GROUP, type ResourceRow } from '../resources/find-resource.js';
import { findUser } from '../users/users.js';
import { personOf } from './grant-task.js';
import { limitedCall, problemText } from './limited-call.js';
import { connectorOf, type OpenConnectors } from './open-connectors.js';
import type { ResourceCalls } from './resource-calls.js';

/** What was found at a resource. */
export interface TryResult {
  /** '' when it could be read. */
  readonly problem: string;
  readonly description: string;
  readonly findings: readonly string[];
  /** How it calls the user; '' when nobody was asked for or found. */
  readonly subject: string;
  readonly has: boolean;
  readonly tookMs: number;
}

export interface TryParts {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly open: OpenConnectors;
  readonly calls: ResourceCalls;
}

const NOTHING = { problem: '', description: '', findings: [], subject: '', has: false };

/** Looks at a resource as it is or could be, and for a user in it. Reads, and writes nothing. Errors: USER_NOT_FOUND, CONNECTOR_NOT_FOUND. */
export async function tryResource(
  { ledger, clock, open, calls }: TryParts,
  resource: ResourceRow,
  subjects: readonly { readonly user: string; readonly subject: string }[] | undefined,
  user: string,
): Promise<TryResult> {
  const startedMs = clock.now();
  const took = <T extends object>(result: T) => ({ ...result, tookMs: clock.now() - startedMs });
  const { person, connector } = await ledger.read(async (db) => {
    const found = user === '' ? undefined : await findUser(db, user);
    const known = found === undefined ? undefined : await personOf(db, resource.id, found.id);
    const named = subjects?.find(
      ({ user: given }) => given === found?.id || given.toLowerCase() === found?.name.toLowerCase(),
    );
    return {
      person: known === undefined || subjects === undefined ? known : { ...known, subject: named?.subject ?? '' },
      connector: await connectorOf(db, resource),
    };
  });
  if (resource.kind === DEVICE_GROUP) {
    const { group = '' } = JSON.parse(resource.target) as Record<string, string>;
    const findings = ["The device's agent finds out whether the group is there when somebody gets it."];
    return took({ ...NOTHING, description: `the group '${group}' of a device`, findings });
  }
  if (connector === undefined) throw new CurfewError('CONNECTOR_NOT_FOUND', { given: resource.connector_id ?? '' });
  let port: Connector | undefined;
  try {
    const made = open.make(resource, connector);
    port = made.connector;
    const limited = <T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> =>
      limitedCall(clock, made.kind.callLimitMs, calls.stopSignal, call);
    const connection = made.connector;
    const { text: description, findings } = await limited((signal) => connection.describe(signal));
    if (person === undefined) return took({ ...NOTHING, description, findings });
    const subject = await limited((signal) => connection.findSubject(person, signal));
    if (subject === undefined) return took({ ...NOTHING, description, findings });
    const has = await limited((signal) => connection.has(subject, signal));
    return took({ ...NOTHING, description, findings, subject: subject.label, has });
  } catch (error) {
    if (!(error instanceof ConnectorError) && !(error instanceof CurfewError)) throw error;
    return took({ ...NOTHING, problem: problemText(error) });
  } finally {
    await port?.close().catch(() => undefined);
  }
}
