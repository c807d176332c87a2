import type { AccountDirectory, AgentState, DeviceIdentity, GrantOrder } from '@curfew/agent';
import type { Holder, LinkConversation } from '@curfew/agent/parts';
import type { ConnectRequest, ConnectResponse } from '@curfew/proto';
import { DeviceReport } from '@curfew/proto';
import { silentLogger, verifyLease, type LeaseClaims, type Random } from '@curfew/shared';
import type { MemoryWire } from './memory-wire.js';
import { hostOf, ProcessLife, stateFileOf, type ModelMachine, type SeenFloor } from './model-machine.js';
import type { ModelParts } from './model-parts.js';
import { DEVICE_KEY_HASH, PEOPLE } from './model-server.js';

export interface ModelAgentParts {
  readonly machine: ModelMachine;
  readonly identity: DeviceIdentity;
  /** The keys that the agent is to trust, whatever it does trust. */
  readonly trueKeys: DeviceIdentity['leaseKeys'];
  readonly random: Random;
  readonly parts: ModelParts;
  /** What the device has seen of revokes. */
  seen: () => SeenFloor;
  /** A desired state is about to be applied. */
  arrived: (floor: SeenFloor) => void;
  /** A right is being made. */
  granting: (agent: ModelAgent, order: GrantOrder) => void;
}

const accounts: AccountDirectory = {
  byKey: async (key) => {
    const person = PEOPLE.find((one) => key === `uid:${one.uid}`);
    return person === undefined ? undefined : { ...person, standingAdmin: false };
  },
  list: async () => PEOPLE.map((person) => ({ ...person, standingAdmin: false })),
};

/** One process of the real agent's holder and conversation. */
export class ModelAgent {
  readonly life = new ProcessLife();
  readonly holder: Holder;
  /** When this process has sent each nonce, on this boot's clock. */
  readonly nonces = new Map<string, number>();
  /** Every lease that the server has signed and this process was sent. */
  readonly leases: LeaseClaims[] = [];
  wire: MemoryWire | undefined;
  private conversation: LinkConversation | undefined;
  private readonly instance: string;

  private constructor(private readonly parts: ModelAgentParts) {
    const { machine, random, parts: made } = parts;
    this.instance = random.bytes(16).toString('hex');
    const written = (state: AgentState): AgentState => made.saved(state);
    this.holder = made.holder({
      host: hostOf(machine, this.life, (order) => {
        parts.granting(this, order);
      }),
      stateFile: stateFileOf(machine, this.life, parts.seen, written),
      accounts,
      clock: made.agentClock(machine.clock),
      logger: silentLogger,
      bootId: machine.bootId,
      deviceKeyHash: DEVICE_KEY_HASH,
    });
    const { holder } = this;
    const apply = holder.applyDesired.bind(holder);
    holder.applyDesired = (desired) => {
      parts.arrived(desired);
      return apply(desired);
    };
    this.holder.onChange(() => {
      if (!this.life.isOver) this.conversation?.sendObserved();
    });
  }

  /** Starts a process: it cleans up, and then holds rights. Not awaited: it may be killed on the way. */
  static start(parts: ModelAgentParts): ModelAgent {
    const agent = new ModelAgent(parts);
    void agent.holder.recover().then(() => {
      agent.isReady = true;
      agent.holder.start();
    });
    return agent;
  }

  /** Whether it has cleaned up what an earlier process left. */
  isReady = false;

  /** Speaks to the server over a wire. */
  speak(wire: MemoryWire): void {
    const { machine, identity, random, parts } = this.parts;
    this.wire = wire;
    this.conversation = parts.conversation({
      holder: this.holder,
      clock: machine.clock,
      random,
      logger: silentLogger,
      bootId: machine.bootId,
      instance: this.instance,
      identity: () => identity,
      keep: async () => undefined,
      cut: () => Promise.resolve(),
      report: async () => DeviceReport.fromPartial({ accounts: PEOPLE.map((person) => ({ ...person })) }),
      requested: () => undefined,
      offered: () => undefined,
      uninstallNeedsCode: () => undefined,
      changes: { reports: [], kept: async () => undefined },
      send: (message) => {
        this.send(wire, message);
      },
    });
    this.conversation.begin();
  }

  /** A message has come. */
  async received(response: ConnectResponse): Promise<void> {
    const { conversation } = this;
    if (this.life.isOver || conversation === undefined) return;
    if (response.message?.$case === 'desired') {
      for (const token of response.message.value.leases)
        await verifyLease(token, this.parts.trueKeys).then(
          (lease) => this.leases.push(lease),
          () => undefined,
        );
    }
    await conversation.received(response);
  }

  /** The link is down. */
  ended(): void {
    this.conversation?.end();
    this.conversation = undefined;
    this.wire = undefined;
  }

  /** kill -9. */
  kill(): void {
    this.life.end();
    this.holder.stop();
    this.wire?.cut();
    this.ended();
  }

  private send(wire: MemoryWire, message: ConnectRequest): void {
    if (this.life.isOver) return;
    if (message.message?.$case === 'hello')
      this.nonces.set(message.message.value.nonce, this.parts.machine.clock.bootTime());
    wire.send(message);
  }
}
