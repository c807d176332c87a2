import { existsSync } from 'node:fs';
import { mkdir, readFile, readlink, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import type { BootSweep, SweepJob } from './boot-sweep.js';
import { ignoreMissing, putFile, syncFolder } from '../unix/durable-file.js';

/** Whether OpenRC has brought this machine up: it keeps the runlevel that it is in there. */
export const openrcRuns = (): boolean => existsSync('/run/openrc/softlevel');

/** A service of OpenRC's runlevel 'boot', which is over before the one in which people can log in begins (openrc(8)). */
export class OpenrcSweep implements BootSweep {
  private readonly service: string;
  private readonly link: string;

  constructor(
    name: string,
    private readonly job: SweepJob,
    etc = '/etc',
  ) {
    this.service = path.join(etc, 'init.d', name);
    this.link = path.join(etc, 'runlevels/boot', name);
  }

  async install(): Promise<void> {
    const text = renderService(this.job);
    if ((await readFile(this.service, 'utf8').catch(ignoreMissing(''))) !== text)
      await putFile(this.service, text, 0o755);
    if ((await readlink(this.link).catch(ignoreMissing(''))) === this.service) return;
    await mkdir(path.dirname(this.link), { recursive: true, mode: 0o755 });
    await symlink(this.service, this.link);
    await syncFolder(path.dirname(this.link));
  }

  async owns(file: string): Promise<boolean> {
    if (file === this.service) return (await readFile(file, 'utf8').catch(() => '')) === renderService(this.job);
    return file === this.link && (await readlink(file).catch(() => '')) === this.service;
  }

  async uninstall(): Promise<void> {
    await rm(this.link, { force: true });
    await rm(this.service, { force: true });
  }
}

const renderService = ({ what, script, args }: SweepJob): string => `#!/sbin/openrc-run
description="Curfew: takes away what an earlier boot has left of ${what}"

depend() {
	need localmount
	before logger
}

start() {
	[ -e ${script} ] || return 0
	ebegin "Taking away what an earlier boot has left of ${what}"
	/bin/sh ${[script, ...args].join(' ')}
	eend $?
}
`;
