import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CommandResult, CommandRunner } from '../../ports/command-runner.js';
import {
  ADMINISTRATORS,
  NAME_USE,
  STATUS,
  type LogonToken,
  type NamedSid,
  type ProcessToken,
  type WindowsApi,
} from './windows-api.js';

/** How a Windows calls its own things. */
export interface WindowsLanguage {
  readonly name: string;
  readonly administrators: string;
  readonly builtIn: string;
  readonly authority: string;
  /** What schtasks.exe says of a task that is not there. */
  readonly noTask: string;
}

/**
 * Names of well-known accounts in four languages of Windows 10 and 11, as Microsoft's documents list them ('Security
 * identifiers' and 'Well-known SIDs' of Microsoft Learn, in each language), and schtasks.exe's words there.
 */
export const LANGUAGES: readonly WindowsLanguage[] = [
  {
    name: 'Windows 11 in English',
    administrators: 'Administrators',
    builtIn: 'BUILTIN',
    authority: 'NT AUTHORITY',
    noTask: 'ERROR: The system cannot find the file specified.\r\n',
  },
  {
    name: 'Windows 10 in German',
    administrators: 'Administratoren',
    builtIn: 'VORDEFINIERT',
    authority: 'NT-AUTORITÄT',
    noTask: 'FEHLER: Das System kann die angegebene Datei nicht finden.\r\n',
  },
  {
    name: 'Windows 10 in French',
    administrators: 'Administrateurs',
    builtIn: 'BUILTIN',
    authority: 'AUTORITE NT',
    noTask: 'ERREUR\u00a0: Le fichier spécifié est introuvable.\r\n',
  },
  {
    name: 'Windows Server 2022 in Russian',
    administrators: 'Администраторы',
    builtIn: 'BUILTIN',
    authority: 'NT AUTHORITY',
    noTask: 'Ошибка: Не удается найти указанный файл.\r\n',
  },
];

/** The SID of this machine's accounts; a domain's; an Entra user's, made of the four parts of its object id. */
const [MACHINE, DOMAIN] = ['S-1-5-21-1004336348-1177238915-682003330', 'S-1-5-21-397955417-626881126-188441444'];
export const SIDS = {
  system: 'S-1-5-18',
  administrator: `${MACHINE}-500`,
  guest: `${MACHINE}-501`,
  alice: `${MACHINE}-1001`,
  bob: `${MACHINE}-1002`,
  carol: `${MACHINE}-1003`,
  helpdesk: `${MACHINE}-1010`,
  dora: `${DOMAIN}-1604`,
  domainAdmins: `${DOMAIN}-512`,
  entra: 'S-1-12-1-3421865432-1183245123-2871234567-1289567345',
  /** Of an account that has been deleted: such SIDs stay in groups, and have no name. */
  orphan: `${MACHINE}-1099`,
} as const;

const done = (stdout = ''): CommandResult => ({ exitCode: 0, signal: null, stdout, stderr: '' });

/**
 * A Windows in memory: local groups, accounts, tasks, tokens and a registry. Statuses are those that Microsoft's pages of
 * NetLocalGroupAddMembers, NetLocalGroupDelMembers, NetLocalGroupGetMembers and NetUserGetLocalGroups document.
 */
export class FakeWindows implements WindowsApi, CommandRunner {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'curfew-windows-'));
  readonly stateDir = path.join(this.folder, 'ProgramData');
  readonly members = new Map<string, Set<string>>();
  readonly tasks = new Map<string, string>();
  readonly volatile = new Map<string, string>();
  readonly values = new Map<string, string | number>();
  readonly keys = new Map<string, readonly string[]>();
  readonly flags = new Map<string, number>();
  readonly ran: string[][] = [];
  readonly messages: [number, string][] = [];
  /** Statuses that replace the machine's own, by call, once each. */
  readonly statuses = new Map<string, number>();
  processes: ProcessToken[] = [];
  logons: LogonToken[] = [];
  /** Called before a member is added: what somebody else does just then. */
  beforeAdd = (): void => undefined;
  readonly named: NamedSid[];

  constructor(readonly language: WindowsLanguage) {
    const { administrators, builtIn, authority } = language;
    const [user, alias] = [NAME_USE.user, NAME_USE.alias];
    this.named = [
      { sid: ADMINISTRATORS, name: administrators, domain: builtIn, use: alias },
      { sid: MACHINE, name: 'DESK-7', domain: 'DESK-7', use: NAME_USE.domain },
      { sid: SIDS.system, name: 'SYSTEM', domain: authority, use: NAME_USE.wellKnownGroup },
      { sid: SIDS.administrator, name: 'Administrator', domain: 'DESK-7', use: user },
      { sid: SIDS.guest, name: 'Guest', domain: 'DESK-7', use: user },
      { sid: SIDS.alice, name: 'alice', domain: 'DESK-7', use: user },
      { sid: SIDS.bob, name: 'bob', domain: 'DESK-7', use: user },
      { sid: SIDS.carol, name: 'carol', domain: 'DESK-7', use: user },
      { sid: SIDS.helpdesk, name: 'Help Desk', domain: 'DESK-7', use: alias },
      { sid: SIDS.dora, name: 'dora', domain: 'CORP', use: user },
      { sid: SIDS.domainAdmins, name: 'Domain Admins', domain: 'CORP', use: NAME_USE.group },
      { sid: SIDS.entra, name: 'EvaExample', domain: 'AzureAD', use: user },
    ];
    this.members.set(ADMINISTRATORS, new Set([SIDS.administrator, SIDS.orphan, SIDS.carol]));
    this.members.set(SIDS.helpdesk, new Set());
    this.flags.set('Guest', 2);
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  readonly groups: WindowsApi['groups'] = {
    add: async (group, sid) => {
      this.beforeAdd();
      const set = this.group(group);
      if (set === undefined) return STATUS.noSuchGroup;
      if (set.has(sid)) return STATUS.alreadyMember;
      return this.status('add', () => set.add(sid));
    },
    remove: async (group, sid) => {
      const set = this.group(group);
      if (set === undefined) return STATUS.noSuchGroup;
      if (!set.has(sid)) return STATUS.notMember;
      return this.status('remove', () => set.delete(sid));
    },
    members: async (group) => {
      const set = this.group(group);
      const status = set === undefined ? STATUS.groupNotFound : this.status('members', () => undefined);
      return { status, sids: status === STATUS.ok ? [...(set ?? [])] : [] };
    },
    groupsOf: async (account) => {
      const sid = this.find(account)?.sid ?? '';
      const indirect = this.members.get(ADMINISTRATORS)?.has(SIDS.domainAdmins) === true && sid === SIDS.dora;
      const own = this.named.filter((one) => this.members.get(one.sid)?.has(sid) === true).map(({ name }) => name);
      return { status: STATUS.ok, names: indirect ? [...own, this.language.administrators] : own };
    },
  };

  readonly accounts: WindowsApi['accounts'] = {
    bySid: async (sid) => this.named.find((one) => one.sid === sid),
    byName: async (name) => this.find(name),
    local: async () =>
      this.named
        .filter(({ domain, use }) => domain === 'DESK-7' && use === NAME_USE.user)
        .map(({ name }) => ({ name, flags: this.flags.get(name) ?? 0 })),
    computerName: () => 'DESK-7',
  };

  readonly tokens: WindowsApi['tokens'] = {
    processes: () => this.processes,
    terminate: ({ pid, created }) => {
      const left = this.processes.filter((one) => one.pid !== pid || one.created !== created);
      const status = left.length === this.processes.length ? 87 : STATUS.ok;
      this.processes = left;
      return status;
    },
    logons: () => this.logons,
    message: async (logon, _title, text) => {
      this.messages.push([logon, text]);
      return STATUS.ok;
    },
    signOut: async (logon) => {
      this.logons = this.logons.filter(({ id }) => id !== logon);
      return STATUS.ok;
    },
  };

  readonly registry: WindowsApi['registry'] = {
    text: (key, value) => asText(this.values.get(`${key}\\${value}`)),
    number: (key, value) => {
      const found = this.values.get(`${key}\\${value}`);
      return typeof found === 'number' ? found : undefined;
    },
    subkeys: (key) => this.keys.get(key) ?? [],
    volatileText: (key, value, text) => {
      const place = `${key}\\${value}`;
      const found = this.volatile.get(place) ?? text();
      this.volatile.set(place, found);
      return found;
    },
  };

  /** schtasks.exe: exit code 1 and a line in the machine's language for what is not there. */
  run(program: string, args: readonly string[]): Promise<CommandResult> {
    this.ran.push([program, ...args]);
    const [what = '', , name = ''] = args;
    if (program !== 'C:\\Windows\\System32\\schtasks.exe') return Promise.reject(new Error(`${program} is not there`));
    const missing = { exitCode: 1, signal: null, stdout: '', stderr: this.language.noTask };
    if (what === '/Create') {
      const file = args[4] ?? '';
      if (!existsSync(file)) return Promise.resolve(missing);
      this.tasks.set(name, readFileSync(file, 'utf16le'));
    } else if (!this.tasks.has(name)) return Promise.resolve(missing);
    if (what === '/Delete') this.tasks.delete(name);
    return Promise.resolve(done());
  }

  /** Another boot: what is volatile is gone, and every token with it. */
  reboot(): void {
    this.volatile.clear();
    [this.processes, this.logons] = [[], []];
  }

  private group(name: string): Set<string> | undefined {
    const found = this.named.find((one) => one.name === name && one.use === NAME_USE.alias);
    return found === undefined ? undefined : this.members.get(found.sid);
  }

  private find(name: string): NamedSid | undefined {
    const [domain, own] = name.includes('\\') ? name.split('\\', 2) : [undefined, name];
    return this.named.find((one) => one.name === own && (domain === undefined || one.domain === domain));
  }

  private status(call: string, work: () => unknown): number {
    const status = this.statuses.get(call) ?? STATUS.ok;
    this.statuses.delete(call);
    if (status === STATUS.ok) work();
    return status;
  }
}

const asText = (value: string | number | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;
