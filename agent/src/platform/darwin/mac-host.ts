import type { HostCapabilities } from '../../ports/privilege-host.js';
import { UnixHost, type UnixHostParts } from '../unix/unix-host.js';
import type { Sweeper } from './sweeper.js';

const FINDINGS = [
  'What a session runs is not followed on macOS: what it has started goes on when it ends, and nothing is recorded.',
  'What a session leaves behind is not looked for on macOS.',
];

/** Both kinds of right on a Mac, and the script that launchd takes them away with when nobody else does. */
export class MacHost extends UnixHost {
  constructor(
    parts: UnixHostParts,
    private readonly sweeper: Sweeper,
  ) {
    super(parts);
  }

  override async prepare(): Promise<HostCapabilities> {
    const capabilities = await super.prepare();
    await this.sweeper.install();
    return { ...capabilities, findings: [...capabilities.findings, ...FINDINGS] };
  }

  override async uninstall(): Promise<void> {
    await super.uninstall();
    await this.sweeper.uninstall();
  }
}
