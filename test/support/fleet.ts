import { ControlPlane } from './control-plane.js';
import { ManagedDevice, type ManagedDeviceOptions } from './managed-device.js';
import { Operator } from './operator.js';
import { TcpProxy } from './tcp-proxy.js';

/** A server, an operator and the devices that they manage, with nothing left of them at the end. */
export class Fleet {
  private readonly undo: (() => Promise<void> | void)[] = [];

  private constructor(
    readonly plane: ControlPlane,
    readonly operator: Operator,
  ) {
    this.undo.push(
      () => plane.dispose(),
      () => operator.close(),
    );
  }

  /** Starts a server that knows the user alice, with more CURFEW_* options, if any. */
  static async start(options: Readonly<Record<string, string>> = {}): Promise<Fleet> {
    const plane = await ControlPlane.start(options);
    const fleet = new Fleet(plane, new Operator(plane));
    await fleet.operator.createUser('alice');
    return fleet;
  }

  /** Adds a device; its agent is linked. */
  async device(options: ManagedDeviceOptions): Promise<ManagedDevice> {
    const managed = await ManagedDevice.start(this.plane, this.operator, options);
    this.undo.push(() => managed.dispose());
    return managed;
  }

  /** Adds a device whose agent reaches the server through a proxy. */
  async behindProxy(
    options: ManagedDeviceOptions,
  ): Promise<{ readonly managed: ManagedDevice; readonly proxy: TcpProxy }> {
    const proxies: TcpProxy[] = [];
    const managed = await this.device({
      ...options,
      server: async (device) => {
        const target = { host: '127.0.0.1', port: this.plane.port };
        const proxy = await TcpProxy.start({ target, listenHost: device.network.hostAddress });
        this.undo.push(() => proxy.close());
        proxies.push(proxy);
        return proxy.address;
      },
    });
    return { managed, proxy: proxies[0]! };
  }

  /** Ends everything, the newest first. */
  async dispose(): Promise<void> {
    for (const undo of this.undo.reverse()) await undo();
  }
}
