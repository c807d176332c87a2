import { Identitystore, ResourceNotFoundException } from '@aws-sdk/client-identitystore';
import { AwsIdentityStore } from '../../support/aws-identity-store.js';
import { expectSo, placeNumbers, type Place, type Right, type Stage } from './right.js';

/** Groups as the public reference of AWS IAM Identity Center has them, each in a store of its own. */
export async function awsStage(people: readonly string[]): Promise<Stage> {
  const stores = await Promise.all(placeNumbers.map(() => new AwsIdentityStore().start()));
  for (const store of stores) for (const userName of people) store.addUser(userName, []);
  return {
    places: stores.map(({ id, key, url, groupId }) => ({
      kind: 'aws_identity_center',
      settings: { region: key.region, identity_store_id: id, access_key_id: key.accessKeyId, endpoint: url },
      secrets: { secret_access_key: key.secretAccessKey },
      target: { group_id: groupId },
    })),
    held: () => Promise.resolve(stores.reduce((sum, { memberships }) => sum + memberships.size, 0)),
    close: async () => {
      for (const store of stores) await store.stop();
    },
  };
}

/** The same by the AWS SDK alone. */
export function awsLibrary({ settings, secrets, target }: Place): Promise<Right> {
  const api = new Identitystore({
    region: settings['region'] ?? '',
    endpoint: settings['endpoint'] ?? '',
    credentials: {
      accessKeyId: settings['access_key_id'] ?? '',
      secretAccessKey: secrets['secret_access_key'] ?? '',
    },
  });
  const IdentityStoreId = settings['identity_store_id'] ?? '';
  const group = { IdentityStoreId, GroupId: target['group_id'] ?? '' };
  const given = new Map<string, { readonly user: string; readonly membership: string }>();
  const membershipOf = async (UserId: string): Promise<string | undefined> => {
    try {
      return (await api.getGroupMembershipId({ ...group, MemberId: { UserId } })).MembershipId;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  };
  return Promise.resolve({
    give: async (person) => {
      const UniqueAttribute = { AttributePath: 'userName', AttributeValue: person };
      const { UserId = '' } = await api.getUserId({ IdentityStoreId, AlternateIdentifier: { UniqueAttribute } });
      expectSo((await membershipOf(UserId)) === undefined, 'nobody is in the group');
      const { MembershipId = '' } = await api.createGroupMembership({ ...group, MemberId: { UserId } });
      expectSo((await membershipOf(UserId)) === MembershipId, 'somebody was added');
      given.set(person, { user: UserId, membership: MembershipId });
    },
    take: async (person) => {
      const { user = '', membership = '' } = given.get(person) ?? {};
      await api.deleteGroupMembership({ IdentityStoreId, MembershipId: membership });
      expectSo((await membershipOf(user)) === undefined, 'somebody was removed');
    },
    close: () => {
      api.destroy();
      return Promise.resolve();
    },
  });
}
