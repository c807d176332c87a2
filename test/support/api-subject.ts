import { PASSWORD } from '@curfew/console/fake-api';
import assert from 'node:assert/strict';
import { ConsoleHost } from './console-host.js';
import { HttpClient, type HttpAnswer } from './http-client.js';
import { ScriptedDevice } from './scripted-device.js';
import { startTestServer } from './test-server.js';
import { eventually } from './wait.js';

/** The people of the cases. Dave's account on web-1 is linked to him. */
export const PEOPLE = { vera: 'ROLE_VIEWER', olaf: 'ROLE_APPROVER', dave: 'ROLE_USER' } as const;
export type Person = keyof typeof PEOPLE | 'owner';

type Json = Record<string, unknown>;

/** Something that speaks the JSON API of the console: the server, or the fake. */
export class ApiSubject {
  private readonly tokens = new Map<Person, string>();

  private constructor(
    readonly origin: string,
    readonly ownerPassword: string,
    readonly close: () => Promise<void>,
  ) {}

  /** A real server with the device web-1. */
  static async real(): Promise<ApiSubject> {
    const server = await startTestServer();
    const owner = new HttpClient(server.consoleUrl);
    await owner.signIn('owner', server.ownerPassword);
    const currentPassword = server.ownerPassword;
    await owner.call('SignInService/ChangePassword', { currentPassword, newPassword: PASSWORD });
    const { json } = await owner.call('DeviceService/CreateJoinToken', {});
    const device = await ScriptedDevice.enroll(server, String(json?.['secret']), 'web-1', ['dave', 'carol']);
    const subject = new ApiSubject(server.consoleUrl, PASSWORD, async () => {
      device.close();
      await server.close();
    });
    await subject.prepare(owner);
    return subject;
  }

  /** The fake API, whose devices answer by themselves. */
  static async fake(): Promise<ApiSubject> {
    const host = await ConsoleHost.start();
    const { world } = host.api;
    world.sessions.clear();
    world.requests.clear();
    world.users.delete([...world.users.values()].find(({ name }) => name === 'dave')?.id ?? '');
    const owner = new HttpClient(host.address);
    await owner.signIn('owner', PASSWORD);
    const subject = new ApiSubject(host.address, PASSWORD, () => host.close());
    const policies = [{ name: 'all', spec: { effect: 'POLICY_EFFECT_ALLOW' } }];
    await owner.call('PolicyService/ApplyPolicies', { policies, prune: true });
    await subject.prepare(owner);
    return subject;
  }

  /** Calls a method as somebody. */
  async send(as: Person | 'nobody', method: string, body: Json = {}): Promise<HttpAnswer> {
    const client = new HttpClient(this.origin);
    if (as === 'nobody') return client.call(method, body);
    return client.send(`/api/curfew.admin.v1.${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.tokens.get(as) ?? ''}` },
      body: JSON.stringify(body),
    });
  }

  /** The same; it must be answered. */
  async call<T = Json>(as: Person, method: string, body: Json = {}): Promise<T> {
    const answer = await this.send(as, method, body);
    assert.equal(answer.status, 200, `${method}: ${answer.text}`);
    return answer.json as T;
  }

  /** The same; it must be refused with this code and, where one is given, for this field. */
  async refuses(as: Person | 'nobody', method: string, body: Json, code: string, field?: string): Promise<void> {
    const { status, json, text } = await this.send(as, method, body);
    assert.ok(status >= 400, `${method} was answered: ${text}`);
    assert.equal(json?.['code'], code, text);
    assert.ok(typeof json['message'] === 'string' && json['message'] !== '', text);
    if (field !== undefined) assert.equal(json['field'], field, text);
  }

  private async prepare(owner: HttpClient): Promise<void> {
    const token = async (name: Person): Promise<void> => {
      const { json, text } = await owner.call('UserService/CreateApiToken', { user: name, label: 'cases' });
      assert.ok(typeof json?.['secret'] === 'string', text);
      this.tokens.set(name, json['secret']);
    };
    await token('owner');
    for (const [name, role] of Object.entries(PEOPLE) as [Person, string][]) {
      await this.call('owner', 'UserService/CreateUser', { name, role });
      await token(name);
    }
    await eventually(
      async () => {
        const link = { user: 'dave', device: 'web-1', account: 'dave' };
        return (await this.send('owner', 'UserService/LinkAccount', link)).status === 200;
      },
      { withinMs: 10_000, what: 'a device with its accounts' },
    );
  }
}
