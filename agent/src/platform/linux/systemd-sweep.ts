import { chmod, mkdir, readFile, readlink, rm, rmdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import type { Labels } from '../unix/labels.js';
import type { BootSweep, SweepJob } from './boot-sweep.js';
import { ignoreMissing, putFile, syncFolder } from '../unix/durable-file.js';

const UNITS = '/etc/systemd/system';

/** A unit that systemd runs at each boot before anyone can log in. */
export class SystemdSweep implements BootSweep {
  private readonly unit: string;
  private readonly wants: string;
  private readonly link: string;

  constructor(
    name: string,
    private readonly job: SweepJob,
    private readonly labels: Pick<Labels, 'restore'>,
    private readonly units = UNITS,
  ) {
    this.unit = path.join(units, `${name}.service`);
    this.wants = path.join(units, 'sysinit.target.wants');
    this.link = path.join(this.wants, `${name}.service`);
  }

  async install(): Promise<void> {
    const text = renderUnit(this.job);
    if ((await readFile(this.unit, 'utf8').catch(ignoreMissing(''))) !== text) {
      await putFile(this.unit, text, 0o644);
      await this.labels.restore(this.unit);
    }
    const target = path.join('..', path.basename(this.unit));
    if ((await readlink(this.link).catch(ignoreMissing(''))) === target) return;
    // The agent's own umask is for secrets; this folder is everybody's to read.
    if ((await mkdir(this.wants, { recursive: true })) !== undefined) await chmod(this.wants, 0o755);
    await symlink(target, this.link);
    await syncFolder(this.wants);
    await syncFolder(this.units);
  }

  async owns(file: string): Promise<boolean> {
    if (file === this.unit) return (await readFile(file, 'utf8').catch(() => '')) === renderUnit(this.job);
    return file === this.link && (await readlink(file).catch(() => '')) === path.join('..', path.basename(this.unit));
  }

  async uninstall(): Promise<void> {
    await rm(this.link, { force: true });
    await rm(this.unit, { force: true });
    await rmdir(this.wants).catch(() => undefined);
  }
}

const renderUnit = ({ what, script, args }: SweepJob): string => `[Unit]
Description=Curfew: takes away what an earlier boot has left of ${what}
DefaultDependencies=no
RequiresMountsFor=${path.dirname(script)}
ConditionPathExists=${script}
After=local-fs.target
Before=sysinit.target systemd-user-sessions.service curfew-agent.service
Conflicts=shutdown.target
Before=shutdown.target

[Service]
Type=oneshot
ExecStart=/bin/sh ${[script, ...args].join(' ')}
Restart=on-failure
RestartSec=1s
`;
