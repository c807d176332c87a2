import { randomInt } from 'node:crypto';
import { runTool } from './tool.js';

/** Attempts to find a free link before giving up; of 32,768 few are in use. */
const ATTEMPTS = 64;

/**
 * The cable between a device and the machine: a pair of virtual interfaces and a network of four addresses out of
 * 198.18.0.0/15, which RFC 2544 sets aside for tests, so that no real network is hidden. The name of the machine's
 * end is taken from the network's number: the kernel refuses a second one, whoever else runs tests here.
 */
export class DeviceNetwork {
  private constructor(private readonly index: number) {}

  private get link(): string {
    return `cfw${this.index}`;
  }

  private address(host: number): string {
    const offset = this.index * 4 + host;
    return `198.${18 + (offset >> 16)}.${(offset >> 8) & 255}.${offset & 255}`;
  }

  /** The machine's address as the device reaches it. */
  get hostAddress(): string {
    return this.address(1);
  }

  /** The device's own address. */
  get deviceAddress(): string {
    return this.address(2);
  }

  /** Makes a cable to the network namespace of a process. */
  static async plugIn(pid: number): Promise<DeviceNetwork> {
    let problem: unknown;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const network = new DeviceNetwork(randomInt(32_768));
      try {
        await network.attach(pid);
        return network;
      } catch (error) {
        problem = error;
        if (!String(error).includes('File exists')) break;
      }
    }
    throw new Error('no network for the device', { cause: problem });
  }

  /** Makes the cable, anew after `remove`, to the network namespace of a process. */
  async attach(pid: number): Promise<void> {
    await runTool('ip', ['link', 'add', this.link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid)]);
    await runTool('ip', ['-batch', '-'], {
      // Without the address of IPv6 that the kernel would give the link a second later.
      stdin: `link set ${this.link} addrgenmode none\naddr add ${this.hostAddress}/30 dev ${this.link}\nlink set ${this.link} up\n`,
    });
    await runTool('nsenter', ['-t', String(pid), '-n', 'ip', '-batch', '-'], {
      stdin: `link set lo up\naddr add ${this.deviceAddress}/30 dev eth0\nlink set eth0 up\n`,
    });
  }

  /** Pulls the cable: packets are lost in both directions and nobody is told. */
  async cut(): Promise<void> {
    await runTool('ip', ['link', 'set', this.link, 'down']);
  }

  /** Puts the cable back. Connections that have not given up go on. */
  async restore(): Promise<void> {
    await runTool('ip', ['link', 'set', this.link, 'up']);
  }

  /** Takes the cable away. Fine when it is gone already, or goes with its namespace at this moment. */
  async remove(): Promise<void> {
    await runTool('ip', ['link', 'delete', this.link], { tolerate: /Cannot find device|No such device/ });
  }
}
