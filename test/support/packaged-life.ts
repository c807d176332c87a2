import assert from 'node:assert/strict';
import { ControlPlane } from './control-plane.js';
import type { DeviceUser } from './device.js';
import type { Release } from './distribution-root.js';
import { differences, PackagedDevice } from './packaged-device.js';
import { BuiltPackages } from './packages.js';

/** A session as curfewctl prints it. */
export interface PrintedSession {
  readonly id: string;
  readonly state: string;
  readonly expireTime: string;
  readonly endReason?: string;
}

/** Two versions of the agent's package in one format. */
export interface TwoVersions {
  /** 0.1.0. */
  readonly first: string;
  /** 0.2.0. */
  readonly second: string;
}

/** Makes two versions of the agent's package. */
export async function twoVersions(packages: BuiltPackages, format: 'deb' | 'rpm'): Promise<TwoVersions> {
  return {
    first: await packages.make({ format, program: 'agent', version: '0.1.0' }),
    second: await packages.make({ format, program: 'agent', version: '0.2.0' }),
  };
}

/** A fresh system with a server beside it, on which a package of the agent lives from its installation to its end. */
export class PackagedLife {
  private constructor(
    readonly plane: ControlPlane,
    readonly device: PackagedDevice,
    private readonly bare: ReadonlyMap<string, string>,
  ) {}

  /** Boots the system; alice is a user there. */
  static async start(name: string, release: Release = 'bookworm', more: readonly DeviceUser[] = []) {
    const plane = await ControlPlane.start();
    try {
      const device = await PackagedDevice.start(name, [...more, { name: 'alice' }], release);
      // What rpm makes by being asked is no work of the package's.
      await device.device.must(['rpm', '-qa']);
      return new PackagedLife(plane, device, await device.files());
    } catch (error) {
      await plane.dispose();
      throw error;
    }
  }

  /** What is not as it was before anything was installed. */
  async changes(): Promise<string[]> {
    return differences(this.bare, await this.device.files());
  }

  /** What systemd says of the agent's service. */
  property(name: string): Promise<string> {
    return this.must('systemctl', 'show', '--value', `--property=${name}`, 'curfew-agent.service');
  }

  must(...argv: string[]): Promise<string> {
    return this.device.device.must(argv, { timeoutMs: 120_000 });
  }

  mayBeRoot(): Promise<boolean> {
    return this.device.mayBeRoot('alice');
  }

  session(id: string): Promise<PrintedSession> {
    return this.plane.json<PrintedSession>('sessions', 'show', id);
  }

  live(): Promise<PrintedSession[]> {
    return this.plane.json<PrintedSession[]>('sessions', 'list');
  }

  /** Alice asks, is allowed, starts. Gives the session. */
  async elevated(): Promise<PrintedSession> {
    // The server may have had a device of this name before, so that this one goes by another.
    const { deviceName } = JSON.parse(await this.must('curfew-agent', 'status', '-o', 'json')) as {
      deviceName: string;
    };
    await this.plane.untilReported(deviceName, 'alice');
    const curfew = (...args: string[]) => this.device.device.run(['curfew', ...args], { as: 'alice' });
    const asked = await curfew('request', '--for', '20m', '--reason', 'mend the web server');
    assert.equal(asked.exitCode, 0, asked.stderr);
    const [request] = await this.plane.json<{ id: string }[]>('requests', 'list');
    await this.plane.json('requests', 'approve', request?.id ?? '');
    const started = await curfew('start');
    assert.equal(started.exitCode, 0, started.stderr);
    const [live] = await this.live();
    assert.ok(live);
    return live;
  }

  /** Ends the session by an operator's word, and waits for the device's. */
  async revoke(id: string): Promise<void> {
    const { exitCode, stderr } = await this.plane.curfewctl('sessions', 'revoke', id, '--reason', 'enough', '--wait');
    assert.equal(exitCode, 0, stderr);
  }

  async dispose(): Promise<void> {
    await this.device.dispose();
    await this.plane.dispose();
  }
}
