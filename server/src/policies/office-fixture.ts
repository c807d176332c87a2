import { ManualClock, MINUTE, systemRandom } from '@curfew/shared';
import { generateKeyPairSync } from 'node:crypto';
import { MyAccess } from '../access/my-access.js';
import { AuditLog } from '../audit/audit-log.js';
import { Devices } from '../devices/devices.js';
import type { DeviceRow } from '../devices/find-device.js';
import { JoinTokens } from '../devices/join-tokens.js';
import { SqliteLedger } from '../ledger/sqlite-ledger.js';
import { Requests } from '../requests/requests.js';
import { Observations } from '../sessions/observations.js';
import { Sessions } from '../sessions/sessions.js';
import type { Caller } from '../users/caller.js';
import type { Role } from '../users/role.js';
import { Users } from '../users/users.js';
import { Policies } from './policies.js';
import type { PolicyDraft } from './policy-ledger.js';
import { OPEN_SPEC, type PolicySpec } from './policy-spec.js';

const SETTINGS = {
  maxSessionMs: 480 * MINUTE,
  decideWithinMs: 600 * MINUTE,
  startWithinMs: 600 * MINUTE,
  passwordRequired: false,
  linkAccounts: 'by_name',
} as const;

/** The people of the office: one of each role, and a second approver. */
export const PEOPLE = {
  alice: 'user',
  vera: 'viewer',
  anna: 'approver',
  bert: 'approver',
  adam: 'admin',
  olga: 'owner',
} as const;
export type Person = keyof typeof PEOPLE;

/** A ledger on ':memory:' with real use cases, people of every role, and two devices where each has an account. */
export async function openOffice() {
  const clock = new ManualClock();
  const noteKey = { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey };
  const fatal = (error: unknown): never => {
    throw error instanceof Error ? error : new Error(String(error));
  };
  const ledger = await SqliteLedger.open({ file: ':memory:', clock, random: systemRandom, noteKey, fatal });
  const context = { ledger, clock, random: systemRandom, settings: SETTINGS };
  const [users, devices, requests, sessions, policies, access] = [
    new Users(context),
    new Devices(context),
    new Requests(context),
    new Sessions(context),
    new Policies(context),
    new MyAccess(context),
  ];
  const callers = new Map<Person, Caller>();
  for (const [name, role] of Object.entries(PEOPLE) as [Person, Role][]) {
    const { id } = await users.create('server', { name, displayName: '', role });
    callers.set(name, { userId: id, userName: name, tokenId: '', role });
  }
  const by = (person: Person): Caller => {
    const caller = callers.get(person);
    if (caller === undefined) throw new Error(`nobody is called ${person}`);
    return caller;
  };
  const { secret } = await new JoinTokens(context, 'f'.repeat(64)).create(by('olga'), { uses: 2, ttlMs: MINUTE });
  const account = (name: Person) => ({
    name,
    uid: 1000 + Object.keys(PEOPLE).indexOf(name),
    fingerprint: 'b'.repeat(64),
  });
  const enrol = async (hostname: string, key: string): Promise<DeviceRow> => {
    const facts = { platform: 'PLATFORM_LINUX' };
    const device = await devices.enroll({ joinToken: secret, keyHash: key.repeat(64), hostname, facts });
    const people = Object.keys(PEOPLE) as Person[];
    const accounts = people.map((name) => ({ ...account(name), standingAdmin: false, ineligibleReason: '' }));
    await devices.report(device.id, { accounts, findings: [], leaseRefusals: [] });
    return device;
  };
  const [web, db] = [await enrol('web-1', 'a'), await enrol('db-1', 'c')];
  const observations = new Observations(context);
  return {
    noteKey,
    auditLog: new AuditLog(ledger, noteKey),
    clock,
    ledger,
    context,
    users,
    devices,
    requests,
    sessions,
    policies,
    access,
    by,
    account,
    web,
    db,
    /** Makes these the only policies. */
    usePolicies: (drafts: readonly PolicyDraft[]) =>
      policies.apply(by('adam'), { policies: drafts, prune: true, dryRun: false, shorten: false, etag: '' }),
    /** Lets a device say that it holds these sessions and nothing else. */
    hold: async (device: DeviceRow, sessionIds: readonly string[], epoch = 1) => {
      const [desired] = await devices.desired([device.id]);
      const held = sessionIds.map((sessionId) => ({ sessionId, epoch }));
      const { generation = 0 } = desired?.device ?? {};
      await observations.take(device, { incarnation: 1, generation, held, ended: [] });
    },
    /** Everything that a refusal must leave as it was. */
    picture: () => pictureOf(ledger),
  };
}

const pictureOf = (ledger: SqliteLedger): Promise<string> =>
  ledger.read(async (reader) =>
    JSON.stringify([
      await reader.selectFrom('session').selectAll().execute(),
      await reader.selectFrom('access_request').selectAll().execute(),
      await reader.selectFrom('request_decision').selectAll().execute(),
      await reader.selectFrom('request_review').selectAll().execute(),
      await reader.selectFrom('policy').selectAll().execute(),
      await reader.selectFrom('policy_version').selectAll().execute(),
      await reader.selectFrom('device').selectAll().execute(),
      await reader.selectFrom('audit_event').select('idx').execute(),
    ]),
  );

export type Office = Awaited<ReturnType<typeof openOffice>>;

/** A policy that says this and otherwise nothing. */
export const draft = (name: string, spec: Partial<PolicySpec> = {}): PolicyDraft => ({
  name,
  description: '',
  disabled: false,
  spec: { ...OPEN_SPEC, ...spec },
});

export const SUDO = { kind: 'sudo_rule' as const, passwordRequired: false, commands: [], runAs: '', group: '' };
