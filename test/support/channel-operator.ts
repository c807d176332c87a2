import {
  ChannelKind,
  NotificationServiceService as service,
  UserServiceService,
  Role,
  type Channel,
  type Delivery,
} from '@curfew/proto';
import { ApiClient } from './api-client.js';
import type { TestServer } from './test-server.js';

/** An owner who looks after channels, through the API. */
export class ChannelOperator {
  readonly api: ApiClient;

  constructor(server: Pick<TestServer, 'address' | 'ownerToken'> & { readonly caFile: string }, token?: string) {
    this.api = new ApiClient(server.address, server.caFile, { token: token ?? server.ownerToken });
  }

  /** Makes or changes a channel; gives the secret that was made. */
  async put(name: string, kind: ChannelKind, target: string, more: Partial<Channel> & { secret?: string } = {}) {
    const { secret = '', ...rest } = more;
    const channel = {
      id: '',
      name,
      kind,
      target,
      eventTypes: [],
      disabled: false,
      hasSecret: false,
      waiting: 0n,
      dead: 0n,
      lastError: '',
      lastDeliveredTime: undefined,
      slackUsers: [],
      ...rest,
    };
    return this.api.unary(service.putChannel, { channel, secret });
  }

  async channel(name: string): Promise<Channel | undefined> {
    const { channels } = await this.api.unary(service.listChannels, {});
    return channels.find((channel) => channel.name === name);
  }

  async deliveries(channel: string): Promise<Delivery[]> {
    const request = { channel, state: 0, pageSize: 0, pageToken: '' };
    return (await this.api.unary(service.listDeliveries, request)).deliveries;
  }

  async retry(channel: string): Promise<number> {
    return (await this.api.unary(service.retryDeliveries, { channel })).retried;
  }

  test(channel: string) {
    return this.api.unary(service.testChannel, { channel });
  }

  /** Makes a user, which is one audit event of the type 'user.created'. */
  async createUser(name: string, role = Role.USER, displayName = ''): Promise<string> {
    return (await this.api.unary(UserServiceService.createUser, { name, displayName, role })).user?.id ?? '';
  }

  close(): void {
    this.api.close();
  }
}
