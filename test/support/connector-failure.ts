import { ConnectorError } from '@curfew/server/parts';
import assert from 'node:assert/strict';

/** Awaits the failure that is meant. Errors: AssertionError for success, and for every other failure. */
export async function connectorFailure(
  promise: Promise<unknown>,
  kind: ConnectorError['kind'],
  says: RegExp,
): Promise<ConnectorError> {
  const error = await promise.then(
    () => assert.fail('it did not fail'),
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof ConnectorError, String(error));
  assert.equal(error.kind, kind, error.message);
  assert.match(error.message, says);
  return error;
}
