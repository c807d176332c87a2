import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AGENT_ENV } from './agent-env.js';
import type { ControlPlane } from './control-plane.js';
import { DEVICE_BIN, DEVICE_BOOT_ID } from './device-init.js';
import { CHECKOUT, type Device } from './device.js';
import { eventually } from './wait.js';

const UNIT = 'curfew-agent.service';

/** The agent of a device with systemd, installed as a package does and started by the unit as it is shipped. */
export class AgentService {
  private constructor(private readonly device: Device) {}

  /** Enrols the device and starts its agent. */
  static async install(plane: ControlPlane, device: Device): Promise<AgentService> {
    const unit = readFileSync(join(CHECKOUT, 'packaging/systemd', UNIT), 'utf8');
    await device.must(['tee', `/usr/lib/systemd/system/${UNIT}`], { stdin: unit });
    // The unit is given a /proc of its own, which has the machine's boot id and not the device's.
    const bootId = `BindReadOnlyPaths=${DEVICE_BOOT_ID}:/proc/sys/kernel/random/boot_id`;
    // Its disks are the machine's.
    const noWalk = `Environment=CURFEW_PRIVILEGED_FILES=${AGENT_ENV.CURFEW_PRIVILEGED_FILES}`;
    await device.must(['mkdir', '-p', `/usr/lib/systemd/system/${UNIT}.d`]);
    await device.must(['tee', `/usr/lib/systemd/system/${UNIT}.d/namespace.conf`], {
      stdin: `[Service]\n${bootId}\n${noWalk}\n`,
    });
    for (const program of ['node', 'curfew', 'curfew-agent'])
      await device.must(['ln', '-sf', `${DEVICE_BIN}/${program}`, `/usr/local/bin/${program}`]);
    await device.must(['ln', '-sf', `${DEVICE_BIN}/curfew-agent`, '/usr/bin/curfew-agent']);
    const { secret } = await plane.json<{ secret: string }>('devices', 'join-token', 'create');
    const server = `${device.network.hostAddress}:${plane.port}`;
    await device.must(['curfew-agent', 'enroll', '--server', server, '--token', secret]);
    await device.must(['systemctl', 'enable', '--now', UNIT], { timeoutMs: 60_000 });
    const service = new AgentService(device);
    await service.untilLinked();
    await plane.untilReported(device.name);
    return service;
  }

  /** A property of the unit, as systemd tells it. */
  property(name: string): Promise<string> {
    return this.device.must(['systemctl', 'show', '--value', `--property=${name}`, UNIT]);
  }

  systemctl(verb: string): Promise<string> {
    return this.device.must(['systemctl', verb, UNIT], { timeoutMs: 60_000 });
  }

  /** Puts back what a test took away, and starts the agent if it does not run. */
  async restore(): Promise<void> {
    await this.device.must(['ln', '-sf', `${DEVICE_BIN}/curfew-agent`, '/usr/bin/curfew-agent']);
    await this.device.must(['systemctl', 'unmask', UNIT]);
    await this.systemctl('reset-failed');
    await this.systemctl('start');
    await this.untilLinked();
  }

  /** Waits until the agent answers and has a link. */
  async untilLinked(): Promise<void> {
    await eventually(
      async () => {
        const status = await this.device.run(['curfew-agent', 'status', '-o', 'json']);
        return status.exitCode === 0 && (JSON.parse(status.stdout) as { serverLinked?: boolean }).serverLinked === true;
      },
      { withinMs: 60_000, everyMs: 200, what: 'an agent with a link' },
    ).catch((cause: unknown) => this.fail('no linked agent', cause));
  }

  /** Throws what went wrong with what the agent has said last. */
  async fail(what: string, cause: unknown): Promise<never> {
    const log = await this.device.run(['journalctl', '--no-pager', '-u', UNIT, '-n', '40']);
    throw new Error(`${what}: ${log.stdout}`, { cause });
  }
}
