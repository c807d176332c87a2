import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createFileRegistry, fromBinary, toJson } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { AccessRequest, descriptorSetPath, RevokeOutcome, RevokeResult, Session, SessionState } from '@curfew/proto';
import { DURATION_FIELDS, protoJson } from '@curfew/shared/cli';

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptorSetPath)));

describe('the JSON that the tools print', () => {
  it('knows every duration in what the tools print', () => {
    const inOutput = [...registry]
      .filter(
        (type) =>
          type.kind === 'message' &&
          !type.name.endsWith('Request') &&
          type.name !== 'SessionFilter' &&
          type.typeName.startsWith('curfew.'),
      )
      .flatMap((type) => (type.kind === 'message' ? type.fields : []))
      .filter((field) => field.message?.typeName === 'google.protobuf.Duration')
      .map((field) => field.localName);
    assert.deepEqual(new Set(inOutput), DURATION_FIELDS);
  });

  const session = Session.fromPartial({
    id: 'ses-1',
    state: SessionState.ACTIVE,
    duration: { seconds: 1800n, nanos: 500_000_000 },
    account: { name: 'a', uid: 0 },
    createTime: new Date(1_700_000_000_000),
    revision: 9_007_199_254_740_993n,
  });
  for (const { name, type, value } of [
    { name: 'curfew.types.v1.Session', type: Session, value: session },
    {
      name: 'curfew.admin.v1.RevokeResult',
      type: RevokeResult,
      value: RevokeResult.fromPartial({ session, outcome: RevokeOutcome.EFFECTIVE }),
    },
    {
      name: 'curfew.types.v1.AccessRequest',
      type: AccessRequest,
      value: AccessRequest.fromPartial({ duration: {}, options: { commands: [{ argv: ['/x'] }] } }),
    },
  ] as const)
    it(`is the JSON mapping of Protocol Buffers for ${name}`, () => {
      const message = registry.getMessage(name);
      assert.ok(message !== undefined);
      const bytes = type.encode(value as never).finish();
      const ours = JSON.parse(JSON.stringify(protoJson(type.toJSON(value as never)))) as Record<string, unknown>;
      assert.deepEqual(normal(ours), normal(toJson(message, fromBinary(message, bytes)) as Record<string, unknown>));
    });
});

/** Timestamps may be written with or without a fraction. */
const normal = (value: Record<string, unknown>): unknown =>
  JSON.parse(JSON.stringify(value).replace(/(\d\d:\d\d:\d\d)\.000Z/g, '$1Z'));
