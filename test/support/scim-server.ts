import express, { type Request } from 'express';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { SCIMMY, SCIMMYRouters } from 'scimmy-routers';
import { letFail, readJson, type FaultRule, type SeenCall } from './http-faults.js';
import type { ReceiverCertificate } from './receiver-certificate.js';

/** A user, as the server keeps it. */
export interface ScimStoredUser {
  readonly id: string;
  readonly userName: string;
  readonly externalId?: string;
  readonly emails?: readonly { readonly value: string; readonly type?: string }[];
  readonly active?: boolean;
}

/** A group, as the server keeps it. */
interface StoredGroup {
  readonly id: string;
  readonly displayName: string;
  readonly members: readonly { readonly value: string; readonly type?: string; readonly display?: string }[];
  readonly version: number;
}

/**
 * What forms of PATCH the server takes. `any` takes all; `rfc7644` takes all and empties a group at a 'remove' of
 * `members` without a filter, as the text of the standard has it; the others refuse what their provider does not send.
 */
export type ScimTaste = 'any' | 'rfc7644' | 'entra' | 'okta';

/** How the server differs from the plain one. May be changed at any time. */
export interface ScimKnobs {
  taste: ScimTaste;
  /** Whether groups have ETags, and If-Match is heeded. */
  etags: boolean;
  /** So many times, somebody else changes the group just before a PATCH. */
  conflicts: number;
  /** After a write, so many reads show what was before. */
  laggingReads: number;
  /** Whether the first page is given, whatever page is asked for. */
  ignoresPages: boolean;
  /** Whether every filter fits everything. */
  ignoresFilters: boolean;
  fault: FaultRule;
}

/** What a request carries through the server's library. */
interface Context {
  readonly server: ScimServer;
  readonly writes: boolean;
}

const TOKEN = 'scim-secret-token-4711';

/** An independent SCIM 2.0 server (scimmy) on loopback, with a store in memory. */
export class ScimServer {
  readonly token = TOKEN;
  readonly knobs: ScimKnobs = {
    taste: 'any',
    etags: false,
    conflicts: 0,
    laggingReads: 0,
    ignoresPages: false,
    ignoresFilters: false,
    fault: () => undefined,
  };
  readonly calls: SeenCall[] = [];
  readonly users = new Map<string, ScimStoredUser>();
  readonly groups = new Map<string, StoredGroup>();
  private before: { readonly groups: ReadonlyMap<string, StoredGroup>; left: number } | undefined;
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly server: Server,
    private readonly scheme: 'http' | 'https',
  ) {}

  static async start(tls?: ReceiverCertificate): Promise<ScimServer> {
    const app = express();
    const http = tls === undefined ? createServer(app) : createSecureServer(tls, app);
    const server = new ScimServer(http, tls === undefined ? 'http' : 'https');
    app.set('etag', false);
    app.set('env', 'test');
    app.use((request, response, next) => {
      server.receive(request, response).then((goesOn) => {
        if (goesOn) next();
      }, next);
    });
    declareResources();
    app.use('/scim/v2', new SCIMMYRouters({ type: 'bearer', handler: authenticate, context: contextOf(server) }));
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    return server;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.scheme}://127.0.0.1:${this.port}/scim/v2`;
  }

  addUser(user: ScimStoredUser): void {
    this.users.set(user.id, user);
  }

  addGroup(id: string, displayName: string): void {
    this.groups.set(id, { id, displayName, members: [], version: 1 });
  }

  removeUser(id: string): void {
    this.users.delete(id);
    for (const group of this.groups.keys()) this.setMember(group, id, false);
  }

  memberIds(group: string): string[] {
    return (this.groups.get(group)?.members ?? []).map(({ value }) => value);
  }

  /** Puts somebody in or takes them out, by hand. */
  setMember(group: string, id: string, has: boolean, type?: string): void {
    const stored = this.groups.get(group);
    if (stored === undefined) throw new Error(`no group ${group}`);
    const others = stored.members.filter(({ value }) => value !== id);
    const member = { value: id, ...(type === undefined ? {} : { type }) };
    this.store({ ...stored, members: has ? [...others, member] : others });
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  /** For the library: keeps what was written. */
  write(id: string | undefined, { displayName, members = [] }: Partial<StoredGroup>): StoredGroup {
    const stored = this.groups.get(id ?? '');
    if (stored === undefined) throw new SCIMMY.Types.Error(404, undefined as never, 'no such group');
    const stranger = members.find(({ value }) => !this.users.has(value) && !this.groups.has(value));
    if (stranger !== undefined) throw new SCIMMY.Types.Error(400, 'invalidValue', 'no such user');
    if (this.knobs.laggingReads > 0) this.before = { groups: new Map(this.groups), left: this.knobs.laggingReads };
    const plain = members.map(({ value, type, display }) => ({
      value,
      ...(type === undefined ? {} : { type }),
      ...(display === undefined ? {} : { display }),
    }));
    return this.store({ ...stored, displayName: displayName ?? stored.displayName, members: plain });
  }

  /** For the library: what a reader is shown, which may be what was before. */
  shownGroups(writes: boolean): StoredGroup[] {
    const { before } = this;
    if (writes || before === undefined || before.left === 0) return [...this.groups.values()];
    before.left--;
    return [...before.groups.values()];
  }

  private store(group: StoredGroup): StoredGroup {
    const next = { ...group, version: group.version + 1 };
    this.groups.set(group.id, next);
    return next;
  }

  /** Notes a call, and does what the library does not. Whether the library goes on. */
  private async receive(request: Request, response: ServerResponse): Promise<boolean> {
    request.body = await readJson(request);
    const { method = '', url = '', headers } = request;
    const call = { method, url, headers, body: request.body };
    this.calls.push(call);
    if (!letFail(this.knobs.fault(call), request, response)) return false;
    const group = this.groups.get(decodeURIComponent(/\/Groups\/([^/?]+)/.exec(url)?.[1] ?? ''));
    if (!this.knobs.ignoresPages) givePages(request, url);
    if (method !== 'PATCH') {
      const version = this.shown(group)?.version;
      if (this.knobs.etags && version !== undefined) response.setHeader('etag', `W/"${version}"`);
      return true;
    }
    await this.myTurn(response);
    return this.mayPatch(request, response, group);
  }

  private shown(group: StoredGroup | undefined): StoredGroup | undefined {
    const { before } = this;
    return before !== undefined && before.left > 0 ? before.groups.get(group?.id ?? '') : group;
  }

  /** A group is changed by one call after the other, each a whole read and write. */
  private async myTurn(response: ServerResponse): Promise<void> {
    const before = this.turn;
    this.turn = once(response, 'close').catch(() => undefined);
    await before;
  }

  private mayPatch(request: Request, response: ServerResponse, seen: StoredGroup | undefined): boolean {
    const { knobs } = this;
    if (seen !== undefined && knobs.conflicts > 0) {
      knobs.conflicts--;
      const now = this.groups.get(seen.id);
      if (now !== undefined) this.store(now);
    }
    const version = this.groups.get(seen?.id ?? '')?.version;
    const wanted = request.headers['if-match'];
    if (knobs.etags && version !== undefined && wanted !== `W/"${version}"`) {
      // RFC 7644, section 3.14: one who heeds versions takes no write without one.
      refuse(response, wanted === undefined ? 428 : 412, 'the group has changed');
      return false;
    }
    const body = request.body as { Operations?: { op: string; path?: string; value?: unknown }[] };
    for (const operation of body.Operations ?? []) {
      const { op, path = '' } = operation;
      const distaste =
        (knobs.taste === 'entra' && (path.includes('[') || !/^[A-Z]/.test(op))) ||
        (knobs.taste === 'okta' && (/^[A-Z]/.test(op) || (op === 'remove' && !path.includes('['))));
      if (distaste) {
        refuse(response, 400, 'this form is not taken', 'invalidPath');
        return false;
      }
      if (knobs.taste === 'rfc7644' && op.toLowerCase() === 'remove') delete operation.value;
    }
    return true;
  }
}

/** The library wants numbers, and express 5 gives texts anew at each look. */
function givePages(request: Request, url: string): void {
  const query = new URL(url, 'http://localhost').searchParams;
  const value = Object.fromEntries(
    [...query].map(([name, text]) => [name, ['startIndex', 'count'].includes(name) ? Number(text) : text]),
  );
  Object.defineProperty(request, 'query', { value });
}

function refuse(response: ServerResponse, status: number, detail: string, scimType?: string): void {
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:Error'];
  response.writeHead(status, { 'content-type': 'application/scim+json' });
  response.end(
    JSON.stringify({ schemas, status: String(status), detail, ...(scimType === undefined ? {} : { scimType }) }),
  );
}

function authenticate(request: Request): string {
  if (request.headers.authorization !== `Bearer ${TOKEN}`) throw new Error('the token is wrong');
  return 'operator';
}

const contextOf =
  (server: ScimServer) =>
  ({ method }: Request): Context => ({ server, writes: method !== 'GET' });

let areDeclared = false;

/** The library's resources are of the process; which server's they are goes with the request. */
function declareResources(): void {
  if (areDeclared) return;
  areDeclared = true;
  const { User, Group } = SCIMMY.Resources;
  SCIMMY.Resources.declare(
    User.egress(({ id, filter }, context) => {
      const { server } = context as Context;
      const users = [...server.users.values()];
      if (id !== undefined) return one(users, id) as never;
      return (server.knobs.ignoresFilters ? users : (filter?.match(users) ?? users)) as never;
    }),
  );
  SCIMMY.Resources.declare(
    Group.egress(({ id, filter }, context) => {
      const { server, writes } = context as Context;
      const groups = server.shownGroups(writes).map((group) => ({ ...group, meta: {} }));
      if (id !== undefined) return one(groups, id) as never;
      return (server.knobs.ignoresFilters ? groups : (filter?.match(groups) ?? groups)) as never;
    }).ingress(({ id }, group, context) => (context as Context).server.write(id, group as never) as never),
  );
}

function one<T extends { readonly id: string }>(all: readonly T[], id: string): T {
  const found = all.find((resource) => resource.id === id);
  if (found === undefined) throw new SCIMMY.Types.Error(404, undefined as never, `Resource ${id} not found`);
  return found;
}
