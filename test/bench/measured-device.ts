import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { ControlPlane } from '../support/control-plane.js';
import { Device, type DeviceOptions } from '../support/device.js';
import { layerFolder, removeLayerFolder, scratchFolder } from '../support/scratch.js';

const RULE = '#1000 ALL=(ALL:ALL) NOPASSWD: ALL\n';

/**
 * The device that is measured: a host with real sudo and the real agent process, rules on tmpfs and state on the
 * machine's disk as on every device.
 */
export class MeasuredDevice {
  private constructor(
    readonly host: Device,
    private readonly state: string,
    private readonly bare: string,
  ) {}

  static async start(plane: ControlPlane, options: Pick<DeviceOptions, 'cgroups'> = {}): Promise<MeasuredDevice> {
    const state = scratchFolder('bench-state');
    const host = await Device.start({ name: 'measured', users: [{ name: 'alice' }], stateFolder: state, ...options });
    const device = new MeasuredDevice(host, state, layerFolder());
    try {
      await plane.join(host);
    } catch (error) {
      await device.close();
      throw error;
    }
    return device;
  }

  /** The rule files that are there now. */
  get rules(): string[] {
    return readdirSync(join(this.host.root, 'run/curfew/sudoers.d'));
  }

  /** Prepares the bare file work; call before `removeBare`. */
  makeBare(): void {
    writeFileSync(join(this.bare, 'rule'), RULE);
  }

  /** What a removal asks of the file systems and nothing else: rule gone, read back, and that durably on record. */
  removeBare(): void {
    const rule = join(this.bare, 'rule');
    unlinkSync(rule);
    if (existsSync(rule)) throw new Error('the rule is still there');
    const [record, fresh] = [join(this.state, 'bare.json'), join(this.state, 'bare.json.new')];
    const file = openSync(fresh, 'w', 0o600);
    writeSync(file, JSON.stringify({ record: 'x'.repeat(400) }));
    fsyncSync(file);
    closeSync(file);
    renameSync(fresh, record);
    const folder = openSync(this.state, 'r');
    fsyncSync(folder);
    closeSync(folder);
    lstatSync(record);
  }

  async close(): Promise<void> {
    await this.host.dispose();
    rmSync(this.state, { recursive: true, force: true });
    removeLayerFolder(this.bare);
  }
}
