import type { LastingItem, LastingPower, PackageFile, PrivilegedFiles } from '../../ports/lasting-power.js';
import type { LocalGroups } from './local-groups.js';
import type { MembershipMarks } from './membership-marks.js';
import { ADMINISTRATORS, STATUS, type WindowsApi } from './windows-api.js';

const SERVICES = String.raw`SYSTEM\CurrentControlSet\Services`;
/** Kinds of services that run as programs of their own or with others (winnt.h); the others are drivers. */
const SERVICE_WIN32 = 0x30;

export interface WindowsLastingPowerParts {
  readonly api: Pick<WindowsApi, 'groups' | 'registry'>;
  readonly groups: LocalGroups;
  readonly marks: Pick<MembershipMarks, 'list'>;
}

/** New administrators and new services. Scheduled tasks and files are not looked at, which a finding says. */
export class WindowsLastingPower implements LastingPower {
  constructor(private readonly parts: WindowsLastingPowerParts) {}

  async look(): Promise<readonly LastingItem[]> {
    return [...(await this.administrators()), ...this.services()];
  }

  privilegedFiles(): Promise<PrivilegedFiles> {
    return Promise.resolve({ items: [], incomplete: false });
  }

  packagesOf(): Promise<ReadonlyMap<string, PackageFile>> {
    return Promise.resolve(new Map());
  }

  /** A member that was added is taken out again. */
  async undo({ kind, subject }: Pick<LastingItem, 'kind' | 'subject'>): Promise<boolean> {
    if (kind !== 'group_member') return false;
    const group = await this.parts.groups.bySid(ADMINISTRATORS);
    const [, sid = ''] = subject.split('/');
    if (group === undefined || sid === '') return false;
    const status = await this.parts.api.groups.remove(group.name, sid);
    if (status !== STATUS.ok && status !== STATUS.notMember) throw new Error(`NetLocalGroupDelMembers gave ${status}`);
    return true;
  }

  watch(): () => void {
    return () => undefined;
  }

  /** Members by themselves; those whom Curfew has made ones are no addition of anybody's. */
  private async administrators(): Promise<LastingItem[]> {
    const group = await this.parts.groups.bySid(ADMINISTRATORS);
    if (group === undefined) return [];
    const marks = await this.parts.marks.list();
    const given = new Set(marks.filter(({ groupSid }) => groupSid === ADMINISTRATORS).map(({ sid }) => sid));
    const members = await this.parts.groups.members(group);
    return members
      .filter((sid) => !given.has(sid))
      .map((sid) => ({
        kind: 'group_member',
        subject: `${ADMINISTRATORS}/${sid}`,
        state: 'member',
        weight: 'critical',
        changedAtMs: 0,
      }));
  }

  private services(): LastingItem[] {
    const { registry } = this.parts.api;
    return registry.subkeys(SERVICES).flatMap((name): LastingItem[] => {
      const key = `${SERVICES}\\${name}`;
      if (((registry.number(key, 'Type') ?? 0) & SERVICE_WIN32) === 0) return [];
      const state = ['ImagePath', 'ObjectName'].map((value) => registry.text(key, value) ?? '').join(' as ');
      return [{ kind: 'service', subject: name, state, weight: 'warning', changedAtMs: 0 }];
    });
  }
}
