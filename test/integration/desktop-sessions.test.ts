import {
  ApplyPoliciesRequest,
  DeviceServiceService,
  GetSessionRequest,
  GrantKind,
  PolicyServiceService,
  SessionServiceService,
  type GrantOptions,
} from '@curfew/proto';
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { ApiClient } from '../support/api-client.js';
import { startSession } from '../support/recorded-call.js';
import { scratchFolder } from '../support/scratch.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const POLICIES = `policies:
  - name: desktops
    effect: allow
    auto_approval: {}
    desktop: true
`;

describe('sessions of a policy that has the prompts of desktops answered', function () {
  this.timeout(60_000);
  let data: string;
  let server: TestServer;
  let owner: ApiClient;
  let device: ScriptedDevice;

  /** What the session says, and the claim of its lease. */
  async function desktopOf(options: Partial<GrantOptions>): Promise<[boolean | undefined, unknown]> {
    const sessionId = await startSession(device, 'alice', options);
    const lease = device.desired
      .at(-1)
      ?.leases.map((token) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as object)
      .find((claims) => 'sessionId' in claims && claims.sessionId === sessionId);
    const request = GetSessionRequest.fromPartial({ sessionId });
    const { session } = await owner.unary(SessionServiceService.getSession, request);
    assert.ok(lease !== undefined);
    return [session?.desktop, 'desktop' in lease ? lease.desktop : undefined];
  }

  beforeEach(async () => {
    data = scratchFolder('desktops');
    server = await startTestServer({ CURFEW_DATA_DIR: data });
    owner = new ApiClient(server.address, server.running.caFile, { token: server.ownerToken });
    await owner.unary(
      PolicyServiceService.applyPolicies,
      ApplyPoliciesRequest.fromPartial({ text: POLICIES, prune: true }),
    );
    const { secret } = await owner.unary(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined });
    device = await ScriptedDevice.enroll(server, secret, 'desk-1', ['alice']);
  });
  afterEach(async () => {
    device.close();
    owner.close();
    await server.close();
    rmSync(data, { recursive: true, force: true });
  });

  it('say so, as their leases do, for every command as root', async () => {
    assert.deepEqual(await desktopOf({}), [true, true]);
  });

  for (const [what, options] of [
    ['one command', { commands: [{ argv: ['/usr/bin/apt', 'update'] }] }],
    ['another account', { runAs: 'postgres' }],
    ['a group', { kind: GrantKind.GROUP_MEMBERSHIP }],
  ] as const)
    it(`say nothing of it for ${what}`, async () => {
      assert.deepEqual(await desktopOf(options as Partial<GrantOptions>), [false, undefined]);
    });
});
