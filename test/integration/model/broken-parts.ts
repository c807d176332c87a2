import type { AgentState } from '@curfew/agent';
import { Holder, LinkConversation, type KeptState, type VerifiedDesired } from '@curfew/agent/parts';
import { AuditLog } from '@curfew/server/parts';
import { bootMs, type Clock } from '@curfew/shared';
import { DEVICE_KEY_HASH } from './model-server.js';
import { SOUND_PARTS, type ModelParts } from './model-parts.js';

/** One part that is broken in one way, and what the model says of it. */
export interface BrokenPart {
  readonly name: string;
  readonly parts: ModelParts;
  readonly finding: RegExp;
}

const keptOf = (holder: Holder): KeptState => (holder as unknown as { readonly kept: KeptState }).kept;

/** A holder to which something happens before each desired state. */
const holderThat = (before: (holder: Holder, desired: VerifiedDesired) => VerifiedDesired): ModelParts => ({
  ...SOUND_PARTS,
  holder: (parts) => {
    const holder = new Holder(parts);
    const apply = holder.applyDesired.bind(holder);
    holder.applyDesired = (desired) => apply(before(holder, desired));
    return holder;
  },
});

const agentWith = (saved: (state: AgentState) => AgentState): ModelParts => ({ ...SOUND_PARTS, saved });

const clockWith = (change: (clock: Clock) => Partial<Clock>): ModelParts => ({
  ...SOUND_PARTS,
  agentClock: (clock) => {
    const whole: Clock = {
      now: () => clock.now(),
      bootTime: () => clock.bootTime(),
      after: (delay, fn) => clock.after(delay, fn),
    };
    return { ...whole, ...change(clock) };
  },
});

class AnyNonce extends Map<string, ReturnType<Clock['bootTime']>> {
  override get(nonce: string): ReturnType<Clock['bootTime']> {
    return super.get(nonce) ?? bootMs(1_000_000);
  }
}

export const BROKEN_PARTS: readonly BrokenPart[] = [
  {
    name: 'the agent ignores its floor',
    parts: holderThat((holder, desired) => {
      keptOf(holder).update({ floorGeneration: 0, floorEpoch: 0 });
      return desired;
    }),
    finding: /is over, was gone and is back|without a lease for this device, process and floor/,
  },
  {
    name: 'the agent does not write its floor down',
    parts: agentWith((state) => ({
      ...state,
      floorGeneration: 0,
      floorEpoch: 0,
      desiredCheckpoint: '',
      checkpoint: '',
    })),
    finding: /is over, was gone and is back/,
  },
  {
    name: 'the server does not look at what its devices have seen of its log',
    parts: {
      ...SOUND_PARTS,
      auditLog: (ledger, key) => {
        const log = new AuditLog(ledger, key);
        log.hasForgotten = () => Promise.resolve(false);
        return log;
      },
    },
    finding: /is over, was gone and is back|ledger and device do not agree/,
  },
  {
    name: 'the agent goes by the wall clock alone',
    parts: clockWith(() => ({ bootTime: () => bootMs(0) })),
    finding: /outlives its deadline/,
  },
  {
    name: 'the agent goes by the boot clock alone',
    parts: clockWith((clock) => {
      const started = clock.now();
      return { now: () => started };
    }),
    finding: /outlives its wall-clock end|nothing can be given any more/,
  },
  {
    name: 'the agent forgets what has ended on it',
    parts: holderThat((holder, desired) => {
      keptOf(holder).update({ ended: [] });
      return desired;
    }),
    finding: /is over, was gone and is back/,
  },
  {
    name: 'the agent takes a lease for any nonce',
    parts: {
      ...SOUND_PARTS,
      holder: (parts) => Object.assign(new Holder(parts), { nonces: new AnyNonce() }),
    },
    finding: /without a lease for this device, process and floor/,
  },
  {
    name: 'the agent takes a lease for another device',
    parts: holderThat((_holder, desired) => ({
      ...desired,
      leases: desired.leases.map((lease) => ({ ...lease, deviceKeyHash: DEVICE_KEY_HASH })),
    })),
    finding: /without a lease for this device, process and floor|is over, was gone and is back/,
  },
  {
    name: 'the agent takes a lease of another incarnation',
    parts: holderThat((_holder, desired) => ({
      ...desired,
      leases: desired.leases.map((lease) => ({ ...lease, incarnation: desired.incarnation })),
    })),
    finding: /without a lease for this device, process and floor|was never given|is over, was gone and is back/,
  },
  {
    name: "the agent trusts a stranger's key",
    parts: {
      ...SOUND_PARTS,
      leaseKeys: (server, stranger) => ({ ...server, keys: [...server.keys, ...stranger.keys] }),
    },
    finding: /without a lease for this device, process and floor/,
  },
  {
    name: 'the agent says that a right is gone while it removes it',
    parts: {
      ...SOUND_PARTS,
      holder: (parts) => {
        const holder = new Holder(parts);
        const apply = holder.applyDesired.bind(holder);
        holder.applyDesired = (desired) => {
          holder.applied = { incarnation: desired.incarnation, generation: desired.generation };
          const applying = apply(desired);
          (holder as unknown as { changed: () => void }).changed();
          return applying;
        };
        return Object.defineProperty(holder, 'snapshot', {
          get: () => {
            const { grants, ...rest } = keptOf(holder).state;
            return { ...rest, grants: grants.filter(({ phase }) => phase !== 'removing') };
          },
        });
      },
    },
    finding: /has ended, and it is held/,
  },
  {
    name: 'the agent arms no remover',
    parts: {
      ...SOUND_PARTS,
      holder: (parts) => new Holder({ ...parts, host: { ...parts.host, arm: () => Promise.resolve() } }),
    },
    finding: /before its remover is armed/,
  },
  {
    name: 'the agent takes a late message for a ledger that was rolled back',
    parts: {
      ...SOUND_PARTS,
      conversation: (parts) => {
        const conversation = new LinkConversation(parts);
        Object.defineProperty(conversation, 'newest', {
          get: () => ({ incarnation: 0, generation: 0 }),
          set: () => undefined,
        });
        return conversation;
      },
    },
    finding: /a server is refused that is as it was/,
  },
];
