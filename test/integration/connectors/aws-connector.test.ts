import { ConnectorError, TargetGuard, type Connector } from '@curfew/server/parts';
import { instantMs } from '@curfew/shared';
import assert from 'node:assert/strict';
import { AwsStage } from '../../support/aws-stage.js';
import { BROKEN_CONNECTORS } from '../../support/broken-connectors.js';
import { assertIsCaught } from '../../support/caught-faults.js';
import { brokenPromises, itKeepsTheConnectorContract } from '../../support/connector-contract.js';
import { personOf } from '../../support/connector-parts.js';
import { failFirst, type HttpFault, type SeenCall } from '../../support/http-faults.js';

const never = (): AbortSignal => new AbortController().signal;
const LATER = instantMs(4_000_000_000_000);
const isError =
  (kind: ConnectorError['kind'], message: RegExp, retryAfterMs?: number) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof ConnectorError, String(error));
    assert.deepEqual([error.kind, error.retryAfterMs], [kind, retryAfterMs], error.message);
    assert.match(error.message, message);
    return true;
  };
const of =
  (operation: string) =>
  ({ headers }: SeenCall): boolean =>
    headers['x-amz-target'] === `AWSIdentityStore.${operation}`;
const says = (type: string, more: object = {}, status = 400): HttpFault => ({
  kind: 'answer',
  status,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify({ __type: type, Message: 'as told', ...more }),
});

/** A failure of the service, and what is to be said of it. */
interface Trouble {
  readonly name: string;
  readonly fault: HttpFault;
  readonly kind: ConnectorError['kind'];
  readonly message: RegExp;
  readonly retryAfterMs?: number;
}

describe('the AWS IAM Identity Center connector', function () {
  this.timeout(180_000);

  describe('in its contract', () => {
    itKeepsTheConnectorContract(() => AwsStage.start());

    for (const [name, breakIt] of Object.entries(BROKEN_CONNECTORS))
      it(`does not pass it with the fault ${name}`, async () => {
        const broken = await brokenPromises(async () => {
          const stage = await AwsStage.start();
          stage.connector = breakIt(stage.connector, stage.people);
          return stage;
        });
        assertIsCaught(name, broken);
      });
  });

  describe('on its own', () => {
    let stage: AwsStage;
    let alice: { id: string; label: string };
    beforeEach(async () => {
      stage = await AwsStage.start();
      alice = { id: stage.idOf(personOf('alice')), label: 'alice' };
    });
    afterEach(() => stage.close());
    const isMember = (): Promise<boolean> => stage.truth(personOf('alice'));

    it('says what the group is, and who may undo what it does', async () => {
      await stage.byHand(personOf('alice'), true);
      assert.deepEqual(await stage.connector.describe(never()), { text: "group 'ops' with 1 members", findings: [] });
      stage.store.externalIssuers = ['https://scim.example.com'];
      const { findings } = await stage.connector.describe(never());
      assert.match(findings.join(), /copied from https:\/\/scim\.example\.com: .*undo what Curfew does\.$/);
    });

    it('finds people by mail where it is told to, and nobody where several fit', async () => {
      const byMail = stage.open({ find_by: 'mail' });
      const find = (mailAddresses: readonly string[], subject = '') =>
        byMail.findSubject({ ...personOf('somebody'), mailAddresses, subject }, never());
      assert.deepEqual(await find(['x@example.com', 'alice@example.com']), {
        id: alice.id,
        label: 'alice@example.com',
      });
      assert.equal(await byMail.findSubject(personOf('alice'), never()), undefined);
      await assert.rejects(find(['alice@example.com', 'bob@example.com']), isError('refused', /^2 users have/));
      assert.equal((await find(['alice@example.com'], 'bob@example.com'))?.id, stage.idOf(personOf('bob')));
      await byMail.close();
    });

    it('finds somebody whose id an admin has given', async () => {
      assert.deepEqual(await stage.connector.findSubject({ ...personOf('x'), subject: alice.id }, never()), alice);
      const gone = { ...personOf('alice'), subject: '906c8b90-0000-7000-8000-000000000000' };
      assert.equal(await stage.connector.findSubject(gone, never()), undefined);
    });

    it('reads every page of members', async () => {
      stage.store.pageSize = 3;
      const ids = Array.from({ length: 10 }, (_, index) => stage.store.addUser(`user${index}`));
      for (const [index, id] of ids.entries()) stage.store.memberships.set(`m${index}`, id);
      const members = await stage.connector.members(never());
      assert.deepEqual(members.map(({ id }) => id).sort(), [...ids].sort());
      assert.equal(stage.store.calls.filter((call) => call === 'ListGroupMemberships').length, 4);
    });

    for (const { name, fault, kind, message, retryAfterMs } of [
      {
        name: 'throttling',
        fault: says('ThrottlingException'),
        kind: 'unreachable',
        message: /ThrottlingException: as told$/,
      },
      {
        name: 'throttling with a time',
        fault: says('ThrottlingException', { RetryAfterSeconds: 7 }),
        kind: 'unreachable',
        message: /Throttling/,
        retryAfterMs: 7_000,
      },
      {
        name: 'HTTP 429',
        fault: says('TooManyRequestsException', {}, 429),
        kind: 'unreachable',
        message: /TooManyRequests/,
      },
      {
        name: 'HTTP 500',
        fault: says('InternalServerException', {}, 500),
        kind: 'unreachable',
        message: /InternalServerException/,
      },
      {
        name: 'HTTP 502 of a proxy',
        fault: { kind: 'answer', status: 502, body: '<html>bad gateway</html>' },
        kind: 'unreachable',
        message: /IAM Identity Center: /,
      },
      {
        name: 'a missing right',
        fault: says('AccessDeniedException'),
        kind: 'refused',
        message: /AccessDeniedException: as told$/,
      },
      { name: 'a wrong request', fault: says('ValidationException'), kind: 'refused', message: /ValidationException/ },
      {
        name: 'a store that is not there',
        fault: says('ResourceNotFoundException', { ResourceType: 'IDENTITY_STORE' }),
        kind: 'refused',
        message: /ResourceNotFoundException/,
      },
      {
        name: 'a group that is not there',
        fault: says('ResourceNotFoundException', { ResourceType: 'GROUP' }),
        kind: 'refused',
        message: /ResourceNotFoundException/,
      },
      {
        name: 'a key without which nothing can be read',
        fault: says('ResourceNotFoundException', { Reason: 'KMS_KEY_NOT_FOUND' }),
        kind: 'refused',
        message: /ResourceNotFoundException/,
      },
      {
        name: 'a connection that is reset',
        fault: { kind: 'reset' },
        kind: 'unreachable',
        message: /IAM Identity Center: /,
      },
      { name: 'half an answer', fault: { kind: 'half' }, kind: 'unreachable', message: /IAM Identity Center: / },
    ] satisfies readonly Trouble[] as readonly Trouble[])
      it(`says what the matter is with ${name}, and takes nothing for gone`, async () => {
        await stage.byHand(personOf('alice'), true);
        stage.store.faults.push(failFirst(1, fault, of('GetGroupMembershipId')));
        await assert.rejects(stage.connector.remove(alice, never()), isError(kind, message, retryAfterMs));
        assert.equal(await isMember(), true);
        await stage.connector.remove(alice, never());
        assert.equal(await isMember(), false);
      });

    it('bears that somebody else was quicker, both ways', async () => {
      await stage.byHand(personOf('alice'), true);
      await stage.connector.add(alice, LATER, never());
      assert.equal(stage.store.memberships.size, 1);
      stage.store.faults.push(
        failFirst(1, says('ResourceNotFoundException', { ResourceType: 'GROUP_MEMBERSHIP' }), (call) => {
          if (!of('DeleteGroupMembership')(call)) return false;
          stage.store.memberships.clear();
          return true;
        }),
      );
      await stage.connector.remove(alice, never());
      assert.equal(await isMember(), false);
    });

    it('claims nothing that cannot be read back', async () => {
      const abort = new AbortController();
      const conflict = says('ConflictException', { Reason: 'CONCURRENT_MODIFICATION' });
      stage.store.faults.push((call) => {
        if (of('GetGroupMembershipId')(call)) abort.abort();
        return of('CreateGroupMembership')(call) ? conflict : undefined;
      });
      await assert.rejects(stage.connector.add(alice, LATER, abort.signal), isError('unreachable', /./));
      assert.equal(await isMember(), false);
    });

    it('gives once what it was told twice, when the first answer was lost', async () => {
      stage.store.faults.push(failFirst(1, { kind: 'lose' }, of('CreateGroupMembership')));
      await assert.rejects(stage.connector.add(alice, LATER, never()), isError('unreachable', /./));
      assert.equal(await isMember(), true);
      await stage.connector.add(alice, LATER, never());
      assert.equal(stage.store.memberships.size, 1);
      stage.store.faults.push(failFirst(1, { kind: 'lose' }, of('DeleteGroupMembership')));
      await assert.rejects(stage.connector.remove(alice, never()), isError('unreachable', /./));
      await stage.connector.remove(alice, never());
      assert.equal(await isMember(), false);
    });

    it('shows no secret, whatever the other side says', async () => {
      const { secretAccessKey } = stage.store.key;
      stage.store.faults.push(() => says('ValidationException', { Message: `bad ${secretAccessKey}\u001b[2J` }));
      await assert.rejects(stage.connector.has(alice, never()), isError('refused', /: bad \[masked\]\\u\{1b\}\[2J$/));
    });

    it('goes only where the guard allows, and calls nobody else', async () => {
      const guard = new TargetGuard(false);
      const elsewhere = new TargetGuard(false, async () => [{ address: '127.0.0.1', family: 4 }]);
      for (const connector of [
        stage.open({}, { guard }),
        stage.open({ endpoint: `https://rebind.example.com:${stage.store.port}` }, { guard: elsewhere }),
      ]) {
        await assert.rejects(connector.has(alice, never()), isError('refused', /127\.0\.0\.1/));
        await connector.close();
      }
      assert.deepEqual(stage.store.calls, []);
    });

    it('is not led by the environment to other credentials or another endpoint', async () => {
      const others = {
        AWS_ACCESS_KEY_ID: 'AKIAOTHEROTHEROTHER0',
        AWS_SECRET_ACCESS_KEY: 'other',
        AWS_REGION: 'us-west-2',
        AWS_ENDPOINT_URL: `${stage.store.url}/elsewhere`,
        AWS_ENDPOINT_URL_IDENTITYSTORE: `${stage.store.url}/elsewhere`,
      };
      const before = Object.keys(others).map((name) => [name, process.env[name]] as const);
      Object.assign(process.env, others);
      const nowhere = new TargetGuard(false, async (host) => Promise.reject(new Error(`asked for ${host}`)));
      const regional = stage.open({ endpoint: '' }, { guard: nowhere });
      try {
        assert.equal(await stage.connector.has(alice, never()), false);
        await assert.rejects(
          regional.has(alice, never()),
          isError('unreachable', /asked for identitystore\.eu-central-1\.amazonaws\.com$/),
        );
      } finally {
        await regional.close();
        for (const [name, value] of before)
          if (value === undefined) Reflect.deleteProperty(process.env, name);
          else process.env[name] = value;
      }
    });

    it('refuses a wrong key with what the service says of it', async () => {
      const secrets = { secret_access_key: 'x'.repeat(40) };
      const wrong: Connector = stage.open({}, { secrets });
      await assert.rejects(wrong.has(alice, never()), isError('refused', /InvalidSignatureException/));
      await wrong.close();
    });
  });
});
