import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CommandRunner } from '../../ports/command-runner.js';
import { ignoreMissing, putFile } from '../unix/durable-file.js';
import { UPTIME } from '../unix/watchdog-remover.js';
import { MAC_TOOLS } from './mac-tools.js';

/** What launchd knows the sweeper as; packaging/macos brings its property list. */
const SWEEPER_LABEL = 'curfew.sweeper';

export interface SweeperParts {
  readonly runner: CommandRunner;
  readonly runtimeDir: string;
  readonly stateDir: string;
  readonly bootId: () => string;
  /** The script and the folder of the marks of memberships. */
  readonly marks: { readonly script: string; readonly folder: string };
}

/**
 * A script that launchd runs at each start of the Mac and every minute, with the agent or without it: it takes away what an
 * earlier boot has left, and what is over. Only it outlives a reboot; the remover beside each right is there within a second.
 */
export class Sweeper {
  readonly script: string;

  constructor(private readonly parts: SweeperParts) {
    this.script = path.join(parts.stateDir, 'sweep.sh');
  }

  /** Puts the script in place for launchd, and says that what is in the runtime folder is of this boot; runs nothing. */
  async install(): Promise<void> {
    await mkdir(this.parts.stateDir, { recursive: true, mode: 0o700 });
    const text = renderSweep(this.parts);
    if ((await readFile(this.script, 'utf8').catch(ignoreMissing(''))) !== text)
      await putFile(this.script, text, 0o600);
    await writeFile(path.join(this.parts.runtimeDir, 'boot'), `${this.parts.bootId()}\n`, { mode: 0o600 });
  }

  async uninstall(): Promise<void> {
    await rm(this.script, { force: true });
  }

  /** Why nothing would take away after a reboot what an agent that is dead has given; '' when launchd would. */
  async whyNot(): Promise<string> {
    const { exitCode } = await this.parts.runner.run(MAC_TOOLS.launchctl, ['print', `system/${SWEEPER_LABEL}`]);
    return exitCode === 0
      ? ''
      : `a membership lasts over a reboot, and launchd does not know ${SWEEPER_LABEL}, which would take it away`;
  }
}

/** Arm files hold the boot second, the wall second and what to run: see WatchdogRemover. */
const renderSweep = ({
  runtimeDir,
  marks,
}: SweeperParts): string => `# Curfew: takes away what is over, also when no agent runs.
PATH=/usr/bin:/bin:/usr/sbin:/sbin
boot=$(sysctl -n kern.bootsessionuuid)
last=
[ ! -r ${runtimeDir}/boot ] || read -r last < ${runtimeDir}/boot
if [ "$last" != "$boot" ]; then
  rm -rf ${runtimeDir}/sudoers.d/* ${runtimeDir}/armed/*
  [ ! -d ${runtimeDir} ] || echo "$boot" > ${runtimeDir}/boot
fi
[ ! -e ${marks.script} ] || sh ${marks.script} other-boots ${marks.folder}
${UPTIME.darwin}
for file in ${runtimeDir}/armed/*; do
  [ -f "$file" ] && read -r end wall what < "$file" || continue
  # Only plain words were written there.
  if [ "$up" -ge "$end" ] || [ "$(date +%s)" -ge "$wall" ]; then $what && rm -f "$file"; fi
done
exit 0
`;
