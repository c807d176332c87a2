import { ManualClock } from '@curfew/shared';
import { FakePrivilegeHost } from './fake-privilege-host.js';
import { describePrivilegeHost, type HostOnTrial } from './privilege-host-contract.js';

const person = (name: string, uid: number, ineligibleReason = '') => ({
  name,
  uid,
  sid: '',
  fingerprint: String(uid % 10).repeat(64),
  ineligibleReason,
});

function setUp(): Promise<HostOnTrial> {
  const [alice, bob, root] = [person('alice', 1001), person('bob', 1002), person('root', 0, 'it is root already')];
  const host = new FakePrivilegeHost(new Map([alice, bob, root].map((account) => [account.uid, account])));
  return Promise.resolve({
    start: () => host,
    clock: new ManualClock(),
    alice,
    bob,
    ineligible: root,
    inForce: async ({ uid }) => [...host.rights.values()].some(({ order }) => order.account.uid === uid),
    isArmed: async (sessionId) => host.removers.has(sessionId),
    alter: async ({ sessionId }) => {
      host.alter(sessionId);
    },
    foreign: async () => '',
    plant: async () => undefined,
    plantIsThere: async () => true,
    refused: [],
    dispose: async () => undefined,
  });
}

describePrivilegeHost('fake host, sudo rules', 'sudo_rule', setUp);
describePrivilegeHost('fake host, group memberships', 'group_membership', setUp);
