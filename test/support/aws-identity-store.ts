import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isSignedBy, type SigningKey } from './aws-signature.js';
import { letFail, type FaultRule } from './http-faults.js';

/** An error as the service words it, in JSON 1.1: HTTP 400 unless another status is said. */
class ServiceError extends Error {
  constructor(
    readonly type: string,
    message: string,
    readonly more: Readonly<Record<string, unknown>> = {},
    readonly status = 400,
  ) {
    super(message);
  }
}

type Fields = Readonly<Record<string, unknown>>;

const STORE = 'd-9067230d03';
const TYPE = 'application/x-amz-json-1.1';
const missing = (ResourceType: string): ServiceError =>
  new ServiceError('ResourceNotFoundException', `${ResourceType} not found.`, { ResourceType });

/**
 * The Identity Store API of AWS on this machine, made from its public reference (version 2020-06-15): JSON 1.1 with the
 * operation in X-Amz-Target, Signature Version 4 on each call, people and groups by their ids, pages with tokens.
 */
export class AwsIdentityStore {
  readonly id = STORE;
  readonly key: SigningKey = {
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    region: 'eu-central-1',
    service: 'identitystore',
  };
  readonly groupId = `9067230d03-${randomUUID()}`;
  /** Whose identity provider the group is copied from. */
  externalIssuers: readonly string[] = [];
  /** By their ids. */
  readonly users = new Map<string, { readonly userName: string; readonly mails: readonly string[] }>();
  /** The users' ids, by the ids of memberships. */
  readonly memberships = new Map<string, string>();
  /** The operations that were called, in their order. */
  readonly calls: string[] = [];
  readonly faults: FaultRule[] = [];
  pageSize = 100;
  port = 0;
  private server: Server | undefined;

  async start(): Promise<this> {
    this.server = createServer((request, response) => void this.take(request, response));
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    if (this.server?.listening !== true) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  addUser(userName: string, mails: readonly string[] = []): string {
    const id = `9067230d03-${randomUUID()}`;
    this.users.set(id, { userName, mails });
    return id;
  }

  /** The membership of a user's id, if they have one. */
  membershipOf(userId: string): string | undefined {
    return [...this.memberships].find(([, member]) => member === userId)?.[0];
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // Who has asked has gone in the middle of it.
      return;
    }
    const raw = Buffer.concat(chunks);
    const body = JSON.parse(raw.toString()) as Fields;
    const target = String(request.headers['x-amz-target']);
    this.calls.push(target.replace('AWSIdentityStore.', ''));
    const { method = '', url = '', headers } = request;
    const fault = this.faults.map((rule) => rule({ method, url, headers, body })).find(Boolean);
    if (!letFail(fault, request, response)) return;
    const answer = (status: number, fields: object): void => {
      response.writeHead(status, { 'content-type': TYPE, 'x-amzn-requestid': randomUUID() });
      response.end(JSON.stringify(fields));
    };
    try {
      if (!isSignedBy(this.key, request, raw))
        throw new ServiceError('InvalidSignatureException', 'The signature we calculated does not match.', {}, 403);
      if (request.headers['content-type'] !== TYPE) throw new ServiceError('SerializationException', 'wrong type');
      answer(200, this.answerTo(target, body));
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      const { type, message, more, status } = error;
      answer(status, { __type: type, Message: message, RequestId: randomUUID(), ...more });
    }
  }

  private answerTo(target: string, body: Fields): object {
    if (body['IdentityStoreId'] !== STORE) throw missing('IDENTITY_STORE');
    if ('GroupId' in body && body['GroupId'] !== this.groupId) throw missing('GROUP');
    const IdentityStoreId = STORE;
    switch (target) {
      case 'AWSIdentityStore.DescribeGroup':
        return {
          ...{ IdentityStoreId, GroupId: this.groupId, DisplayName: 'ops' },
          ExternalIds: this.externalIssuers.map((Issuer) => ({ Issuer, Id: 'ops' })),
        };
      case 'AWSIdentityStore.DescribeUser':
        return { IdentityStoreId, UserId: body['UserId'], UserName: this.userOf(body['UserId']).userName };
      case 'AWSIdentityStore.GetUserId':
        return { IdentityStoreId, UserId: this.userIdBy(body['AlternateIdentifier'] as Fields) };
      case 'AWSIdentityStore.ListGroupMemberships':
        return this.page(Number(body['MaxResults']), body['NextToken'] as string | undefined);
      case 'AWSIdentityStore.GetGroupMembershipId': {
        const MembershipId = this.membershipOf(this.memberOf(body));
        if (MembershipId === undefined) throw missing('GROUP_MEMBERSHIP');
        return { IdentityStoreId, MembershipId };
      }
      case 'AWSIdentityStore.CreateGroupMembership':
        return { IdentityStoreId, MembershipId: this.create(this.memberOf(body)) };
      case 'AWSIdentityStore.DeleteGroupMembership':
        if (!this.memberships.delete(String(body['MembershipId']))) throw missing('GROUP_MEMBERSHIP');
        return {};
      default:
        throw new ServiceError('UnknownOperationException', target);
    }
  }

  private create(userId: string): string {
    if (this.membershipOf(userId) !== undefined)
      throw new ServiceError('ConflictException', 'Member and Group relationship already exists', {
        Reason: 'UNIQUENESS_CONSTRAINT_VIOLATION',
      });
    const id = `9067230d03-${randomUUID()}`;
    this.memberships.set(id, userId);
    return id;
  }

  private memberOf(body: Fields): string {
    const { UserId } = body['MemberId'] as { readonly UserId: string };
    this.userOf(UserId);
    return UserId;
  }

  private userOf(id: unknown): { readonly userName: string } {
    const user = this.users.get(String(id));
    if (user === undefined) throw missing('USER');
    return user;
  }

  private userIdBy({ UniqueAttribute }: Fields): string {
    const { AttributePath, AttributeValue } = UniqueAttribute as Fields;
    const fits = ({ userName, mails }: { userName: string; mails: readonly string[] }): boolean =>
      AttributePath === 'userName' ? userName === AttributeValue : mails.includes(String(AttributeValue));
    if (AttributePath !== 'userName' && AttributePath !== 'emails.value')
      throw new ServiceError('ValidationException', 'invalid attribute path');
    const found = [...this.users].find(([, user]) => fits(user))?.[0];
    if (found === undefined) throw missing('USER');
    return found;
  }

  private page(most: number, token = '0'): object {
    const size = Math.min(most, this.pageSize);
    const all = [...this.memberships].map(([MembershipId, UserId]) => ({
      ...{ IdentityStoreId: STORE, GroupId: this.groupId, MembershipId },
      MemberId: { UserId },
    }));
    const end = Number(token) + size;
    const next = end < all.length ? { NextToken: String(end) } : {};
    return { GroupMemberships: all.slice(Number(token), end), ...next };
  }
}
