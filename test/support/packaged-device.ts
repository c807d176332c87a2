import { copyFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AGENT_ENV } from './agent-env.js';
import type { ControlPlane } from './control-plane.js';
import { DEVICE_BOOT_ID } from './device-init.js';
import { Device, type DeviceUser } from './device.js';
import { distributionRoot, type Release } from './distribution-root.js';
import type { ToolResult } from './tool.js';
import { treeEntries } from './tree-hash.js';
import { eventually } from './wait.js';

/** What is not a file of the system: mounts, and what a reboot empties. */
const NO_FILES = ['proc', 'sys', 'dev', 'run', 'tmp'];
/** Debian's rpm wants to be told that it is meant, and knows nothing of what dpkg has installed. */
const RPM = ['rpm', '--force-debian', '--nodeps'];
/** What every package manager and every service leaves: notes of what was done, and caches. */
const NOTES =
  /^root\/\.rpmdb\/|^var\/(log\/|cache\/|tmp|lib\/(dpkg\/(status-old|available-old|lock|triggers|info$)|apt\/|systemd\/|rpm\/|sudo\/lectured))/;

/** A device that is a fresh Debian or Ubuntu with systemd, and has nothing of this machine or this checkout. */
export class PackagedDevice {
  private constructor(readonly device: Device) {}

  /** `besides` are packages of the distribution's that it has besides. */
  static async start(
    name: string,
    users: readonly DeviceUser[],
    release: Release = 'bookworm',
    besides: readonly string[] = [],
  ): Promise<PackagedDevice> {
    const system = await distributionRoot(release, besides);
    const device = await Device.start({ name, users, init: 'systemd', system });
    // Units are given a /proc of their own, which has the machine's boot id and not the device's; its disks are the machine's.
    const unit = [
      '[Service]',
      `BindReadOnlyPaths=${DEVICE_BOOT_ID}:/proc/sys/kernel/random/boot_id`,
      `Environment=CURFEW_PRIVILEGED_FILES=${AGENT_ENV.CURFEW_PRIVILEGED_FILES}`,
    ];
    await device.must(['mkdir', '-p', '/etc/systemd/system/curfew-agent.service.d']);
    await device.must(['tee', '/etc/systemd/system/curfew-agent.service.d/namespace.conf'], {
      stdin: `${unit.join('\n')}\n`,
    });
    return new PackagedDevice(device);
  }

  /** Installs a .deb, by dpkg or as people do. Resolves with any exit code. */
  async dpkg(
    file: string,
    env: Readonly<Record<string, string>> = {},
    installer: readonly string[] = ['dpkg', '-i'],
  ): Promise<ToolResult> {
    const place = join('/root', basename(file));
    copyFileSync(file, join(this.device.root, place));
    const result = await this.device.run([...installer, place], { env, timeoutMs: 120_000 });
    await this.device.must(['rm', place]);
    return result;
  }

  /** Installs a .deb that must go in; gives what was said. */
  async install(file: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { exitCode, stdout, stderr } = await this.dpkg(file, env);
    if (exitCode !== 0) throw new Error(`dpkg -i ${file}: exit code ${String(exitCode)}\n${stdout}${stderr}`);
    return stdout + stderr;
  }

  /** Has Debian's rpm put a .rpm in place, or in the place of another. Resolves with any exit code. */
  async rpm(options: readonly string[], file: string, env: Readonly<Record<string, string>> = {}): Promise<ToolResult> {
    const place = join('/root', basename(file));
    copyFileSync(file, join(this.device.root, place));
    const result = await this.device.run([...RPM, ...options, place], { env, timeoutMs: 120_000 });
    await this.device.must(['rm', place]);
    return result;
  }

  /** Has rpm erase a package. */
  async erase(name: string): Promise<void> {
    await this.device.must([...RPM, '-e', name], { timeoutMs: 120_000 });
  }

  /** Every file of the system but notes and caches, as `treeEntries` has them. */
  async files(): Promise<Map<string, string>> {
    const all = new Map<string, string>();
    for (const top of readdirSync(`${this.device.root}/`).filter((name) => !NO_FILES.includes(name)))
      for (const [below, entry] of await treeEntries(join(this.device.root, top))) {
        const path = join(top, below);
        if (!NOTES.test(path)) all.set(path, entry);
      }
    // One that finds nothing would find no difference.
    if (!all.has('etc/passwd') || all.size < 3_000) throw new Error(`only ${all.size} files are found`);
    return all;
  }

  /** Makes a join token and gives what a silent install is told. */
  async joinEnv(plane: ControlPlane): Promise<{ SERVER: string; TOKEN: string }> {
    const { secret } = await plane.json<{ secret: string }>('devices', 'join-token', 'create');
    return { SERVER: `${this.device.network.hostAddress}:${plane.port}`, TOKEN: secret };
  }

  /** Waits until the agent answers and has a link. */
  async untilLinked(everyMs = 200): Promise<void> {
    await eventually(
      async () => {
        const { exitCode, stdout } = await this.device.run(['curfew-agent', 'status', '-o', 'json']);
        return exitCode === 0 && (JSON.parse(stdout) as { serverLinked?: boolean }).serverLinked === true;
      },
      { withinMs: 120_000, everyMs, what: 'an agent with a link' },
    ).catch(async (cause: unknown) => {
      const log = await this.device.run(['journalctl', '--no-pager', '-u', 'curfew-agent*', '-n', '60']);
      throw new Error(`no linked agent: ${log.stdout}`, { cause });
    });
  }

  /** Waits until a unit's journal has something: what a program has said comes there after it. Gives the match. */
  async untilLogged(unit: string, pattern: RegExp): Promise<RegExpExecArray> {
    return eventually(
      async () => pattern.exec(await this.device.must(['journalctl', '--no-pager', '-o', 'cat', '-u', unit])),
      { withinMs: 60_000, everyMs: 100, what: `${String(pattern)} in the journal of ${unit}` },
    );
  }

  async mayBeRoot(user: string): Promise<boolean> {
    return (await this.device.run(['sudo', '-n', 'id', '-u'], { as: user })).exitCode === 0;
  }

  async dispose(): Promise<void> {
    await this.device.dispose();
  }
}

/** What two looks at the files of a system differ in: `+` came, `-` went, `~` is not the same. */
export function differences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const went = [...before.keys()].filter((path) => !after.has(path)).map((path) => `- ${path}`);
  const came = [...after.keys()].filter((path) => !before.has(path)).map((path) => `+ ${path}`);
  const changed = [...after].filter(([path, entry]) => before.has(path) && before.get(path) !== entry);
  return [...went, ...came, ...changed.map(([path]) => `~ ${path}`)].sort();
}
