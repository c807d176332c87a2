import type { Connector, Person } from '@curfew/server/parts';
import { AwsIdentityStore } from './aws-identity-store.js';
import type { ContractStage } from './connector-contract.js';
import { openConnector, personOf, type ConnectorWish } from './connector-parts.js';

/** A group of an identity store on this machine, with nobody in it. */
export class AwsStage implements ContractStage {
  readonly people = [personOf('alice'), personOf('bob')] as const;
  readonly stranger = personOf('mallory');
  connector: Connector;

  private constructor(readonly store: AwsIdentityStore) {
    for (const { userName } of this.people) store.addUser(userName, [`${userName}@example.com`]);
    this.connector = this.open();
  }

  static async start(): Promise<AwsStage> {
    return new AwsStage(await new AwsIdentityStore().start());
  }

  /** Opens the connector, with other settings or parts than usual. */
  open(settings: Readonly<Record<string, string>> = {}, more: Partial<ConnectorWish> = {}): Connector {
    const { id, key, url, groupId } = this.store;
    const usual = { region: key.region, identity_store_id: id, access_key_id: key.accessKeyId, endpoint: url };
    return openConnector('aws_identity_center', {
      settings: { ...usual, ...settings },
      secrets: { secret_access_key: key.secretAccessKey },
      target: { group_id: groupId },
      ...more,
    });
  }

  /** The id of a person. */
  idOf(person: Person): string {
    return [...this.store.users].find(([, { userName }]) => userName === person.userName)?.[0] ?? '';
  }

  readonly truth = async (person: Person): Promise<boolean> => this.store.membershipOf(this.idOf(person)) !== undefined;

  readonly byHand = async (person: Person, has: boolean): Promise<void> => {
    const id = this.idOf(person);
    if (has) this.store.memberships.set(`9067230d03-${crypto.randomUUID()}`, id);
    else this.store.memberships.delete(this.store.membershipOf(id) ?? '');
  };

  readonly cutOff = async (): Promise<() => Promise<void>> => {
    await this.store.stop();
    return async () => {
      await this.store.start();
    };
  };

  readonly hang = async (): Promise<() => Promise<void>> => {
    this.store.faults.push(() => ({ kind: 'hang' }));
    return async () => void this.store.faults.pop();
  };

  readonly forget = async (person: Person): Promise<void> => {
    const id = this.idOf(person);
    this.store.memberships.delete(this.store.membershipOf(id) ?? '');
    this.store.users.delete(id);
  };

  readonly close = async (): Promise<void> => {
    await this.connector.close();
    await this.store.stop();
  };
}
