import type { GrantOptions } from '@curfew/shared';
import type { FoundRight, GrantOrder, RightCondition, RightRef } from '../../ports/privilege-host.js';
import type { DesktopPrompts } from './desktop-prompts.js';
import type { DoasHost } from './doas-host.js';
import type { KindHost, KindReport } from '../unix/kind-host.js';
import type { SudoersHost } from '../unix/sudoers-host.js';
import type { ToolPath } from '../unix/system-tools.js';

/** The sudo rule by whatever this machine has: sudo, or where there is none, doas. What either has left is found and removed.
 * With it go a desktop's prompts. */
export class SudoRules implements KindHost {
  readonly kind = 'sudo_rule' satisfies GrantOptions['kind'];

  constructor(
    private readonly sudoers: SudoersHost,
    private readonly doas: DoasHost,
    private readonly tools: ToolPath,
    private readonly prompts: DesktopPrompts,
  ) {}

  get version(): string {
    return this.withDoas ? 'doas' : this.sudoers.version;
  }

  get enforcesEnd(): boolean {
    return !this.withDoas && this.sudoers.enforcesEnd;
  }

  async prepare(): Promise<KindReport> {
    const rules = await this.sudoers.prepare();
    const { support, findings } = this.withDoas ? await this.doas.prepare() : rules;
    const { problem } = this.prompts;
    const told = problem === '' ? [] : [`The desktop's prompts are not answered: ${problem}.`];
    return { support, findings: [...findings, ...told] };
  }

  async list(): Promise<FoundRight[]> {
    return [...(await this.sudoers.list()), ...(await this.doas.list())];
  }

  removal(order: GrantOrder): readonly string[] {
    const removal = this.host.removal(order);
    // What removes a rule of sudo takes any number of files.
    return this.answers(order) ? [...removal, this.prompts.file(order.account.name)] : removal;
  }

  async grant(order: GrantOrder): Promise<void> {
    await this.host.grant(order);
    if (this.answers(order)) await this.prompts.give(order);
    else await this.prompts.remove(order);
  }

  async inspect(right: RightRef): Promise<RightCondition> {
    const condition = await this.host.inspect(right);
    if (condition !== 'live' || !('deadline' in right) || !this.answers(right as GrantOrder)) return condition;
    return (await this.prompts.isLive(right as GrantOrder)) ? 'live' : 'altered';
  }

  /** What cannot be removed keeps nothing else from being removed. */
  async remove(right: RightRef | FoundRight): Promise<void> {
    const tried = await Promise.allSettled([this.sudoers, this.doas, this.prompts].map((host) => host.remove(right)));
    for (const outcome of tried) if (outcome.status === 'rejected') throw outcome.reason;
  }

  async uninstall(): Promise<void> {
    for (const host of [this.sudoers, this.doas, this.prompts]) await host.uninstall();
  }

  private answers(order: GrantOrder): boolean {
    return !this.withDoas && this.prompts.isFor(order);
  }

  private get withDoas(): boolean {
    return this.tools('sudo') === undefined && this.tools('doas') !== undefined;
  }

  private get host(): KindHost {
    return this.withDoas ? this.doas : this.sudoers;
  }
}
