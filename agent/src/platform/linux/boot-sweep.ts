import { chmod, mkdir, readFile, readlink, rm, rmdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { ignoreMissing, putFile, syncFolder } from './durable-file.js';
import type { MembershipMarks } from './membership-marks.js';

const UNITS = '/etc/systemd/system';

/**
 * A systemd unit that takes away, before anyone can log in, the memberships that an earlier boot has left: a group is
 * no file of /run. It needs the marks and the script beside them, nothing else of the agent.
 */
export class BootSweep {
  private readonly unit: string;
  private readonly wants: string;
  private readonly link: string;

  constructor(
    name: string,
    private readonly marks: Pick<MembershipMarks, 'folder' | 'script'>,
    private readonly units = UNITS,
  ) {
    this.unit = path.join(units, name);
    this.wants = path.join(units, 'sysinit.target.wants');
    this.link = path.join(this.wants, name);
  }

  /** Puts the unit in place for the next boot, for good; does nothing when it is there. */
  async install(): Promise<void> {
    const text = renderUnit(this.marks);
    if ((await readFile(this.unit, 'utf8').catch(ignoreMissing(''))) !== text) await putFile(this.unit, text, 0o644);
    const target = path.join('..', path.basename(this.unit));
    if ((await readlink(this.link).catch(ignoreMissing(''))) === target) return;
    // The agent's own umask is for secrets; this folder is everybody's to read.
    if ((await mkdir(this.wants, { recursive: true })) !== undefined) await chmod(this.wants, 0o755);
    await symlink(target, this.link);
    await syncFolder(this.wants);
    await syncFolder(this.units);
  }

  async uninstall(): Promise<void> {
    await rm(this.link, { force: true });
    await rm(this.unit, { force: true });
    await rmdir(this.wants).catch(() => undefined);
  }
}

const renderUnit = ({ folder, script }: Pick<MembershipMarks, 'folder' | 'script'>): string => `[Unit]
Description=Curfew: takes away what an earlier boot has left of temporary group memberships
DefaultDependencies=no
RequiresMountsFor=${folder}
ConditionPathExists=${script}
After=local-fs.target
Before=sysinit.target systemd-user-sessions.service curfew-agent.service
Conflicts=shutdown.target
Before=shutdown.target

[Service]
Type=oneshot
ExecStart=/bin/sh ${script} other-boots ${folder}
Restart=on-failure
RestartSec=1s
`;
