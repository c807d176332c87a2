import {
  ConnectRequest,
  type AccessRequest,
  type CheckpointUpdate,
  type ConnectResponse,
  type DesiredState,
  type DeviceReport,
} from '@curfew/proto';
import { verifyLeaseKeySet, type Clock, type Logger, type Random } from '@curfew/shared';
import type { Holder } from '../grants/holder.js';
import type { SessionChanges } from '../changes/session-changes.js';
import type { ChangeRecord } from '../ports/change-store.js';
import type { DeviceIdentity } from '../ports/device-identity.js';
import { changesToProto } from './changes-to-proto.js';
import { observedToProto } from './observed-state.js';
import { verifyDesired } from './verified-desired.js';
import { judgeCheckpoint } from './witness.js';

export interface LinkConversationParts {
  readonly holder: Holder;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly bootId: string;
  /** 128 random bits, new for each start of the agent's process. */
  readonly instance: string;
  readonly identity: () => DeviceIdentity;
  readonly keep: (identity: DeviceIdentity) => Promise<void>;
  readonly report: () => Promise<DeviceReport>;
  readonly changes: Pick<SessionChanges, 'reports' | 'kept'>;
  /** Has the commands of these recordings ended, and no others from then on. */
  readonly cut: (recordingIds: readonly string[]) => Promise<void>;
  readonly requested: (requests: readonly AccessRequest[]) => void;
  /** Hears which release is offered to this device, as its makers have signed it; '' for none. */
  readonly offered: (statement: string) => void;
  /** Hears whether the agent is to be taken off this device only with an operator's code. */
  readonly uninstallNeedsCode: (needsCode: boolean) => void;
  /** Sends a message to the server; nothing happens when the stream has ended. */
  readonly send: (message: ConnectRequest) => void;
}

/** Nonces are good for leases that are still on their way; older ones are forgotten. */
const NONCES_KEPT = 8;

/** What is said on one stream: a hello, then whole states up and whole states down, one after the other. */
export class LinkConversation {
  private isOpen = true;
  private work: Promise<void> = Promise.resolve();
  /** The newest desired state that has come on this stream. */
  private newest = { incarnation: 0, generation: 0 };
  /** The size of the newest checkpoint that was accepted on this stream. */
  private witnessed = 0;
  private reportedRefusals = '';
  /** Which recordings' commands are to end, as it was last said; undefined before that. */
  private cuts: string | undefined;

  constructor(private readonly parts: LinkConversationParts) {}

  /** Says hello, and what the device is. Call first and once. */
  begin(): void {
    this.hello();
    this.sendReport();
    for (const record of this.parts.changes.reports) this.sendChanges(record);
  }

  /** The stream has ended: what still comes of it has nothing to say. */
  end(): void {
    this.isOpen = false;
  }

  /** Takes a message of the server, after those that came before it. Resolves when it is taken. */
  received(response: ConnectResponse): Promise<void> {
    this.work = this.work
      .then(() => this.take(response))
      .catch((error: unknown) => {
        this.parts.logger.error('a message from the server could not be applied', { error });
      });
    return this.work;
  }

  /** Sends the whole observed state as of now, and the report again when what it says of leases has changed. */
  sendObserved(): void {
    const { holder, clock } = this.parts;
    this.send({ $case: 'observed', value: observedToProto(holder, clock.bootTime()) });
    if (this.reportedRefusals !== refusalsText(holder)) this.sendReport();
  }

  /** Tells the server what the device is now. */
  sendReport(): void {
    const { holder, logger, report } = this.parts;
    this.reportedRefusals = refusalsText(holder);
    void report()
      .then((value) => {
        const leaseRefusals = [...holder.leaseRefusals].map(([code, count]) => ({ code, count }));
        this.send({ $case: 'report', value: { ...value, leaseRefusals } });
      })
      .catch((error: unknown) => {
        logger.warn('the device report could not be made', { error });
      });
  }

  /** Tells the server what a session leaves behind. */
  sendChanges(record: ChangeRecord): void {
    this.send({ $case: 'changes', value: changesToProto(record) });
  }

  private hello(): void {
    const { holder, clock, random, bootId, instance, identity } = this.parts;
    const { nonces, snapshot } = holder;
    const nonce = random.bytes(16).toString('hex');
    nonces.set(nonce, clock.bootTime());
    for (const old of [...nonces.keys()].slice(0, -NONCES_KEPT)) nonces.delete(old);
    const value = {
      nonce,
      instance,
      bootId,
      incarnation: BigInt(snapshot.incarnation),
      floorGeneration: BigInt(snapshot.floorGeneration),
      floorEpoch: BigInt(snapshot.floorEpoch),
      checkpoint: { note: snapshot.checkpoint },
      desiredCheckpoint: { note: snapshot.desiredCheckpoint },
      leaseKeySetVersion: BigInt(identity().leaseKeys.version),
      wallTime: new Date(clock.now()),
    };
    this.send({ $case: 'hello', value });
  }

  private async take({ message }: ConnectResponse): Promise<void> {
    const { logger, identity, keep, requested } = this.parts;
    switch (message?.$case) {
      case 'desired':
        await this.takeDesired(message.value);
        return;
      case 'requests':
        requested(message.value.requests);
        return;
      case 'checkpoint':
        this.takeCheckpoint(message.value);
        return;
      case 'leaseKeySet': {
        const leaseKeys = await verifyLeaseKeySet(message.value.signedKeySet, identity().leaseKeys);
        await keep({ ...identity(), leaseKeys });
        logger.info('lease keys renewed', { version: leaseKeys.version });
        return;
      }
      case 'changesKept':
        await this.parts.changes.kept(message.value.sessionId);
        return;
      case undefined:
        return;
    }
  }

  /** Neither the disk nor a removal that is stuck may keep the next message, a revoke perhaps, waiting. */
  private takeCheckpoint(update: CheckpointUpdate): void {
    const { holder, logger, identity } = this.parts;
    const verdict = judgeCheckpoint(holder.snapshot.checkpoint, update, identity().auditKey);
    if (verdict.accepted) {
      this.witnessed = verdict.size;
      void holder.keepCheckpoint(verdict.note);
      return;
    }
    // As with desired states: on one stream what is older is late. What nobody of ours has signed has the size 0.
    if (verdict.size > 0 && verdict.size < this.witnessed) return;
    logger.error('the audit log was refused', { detail: verdict.detail });
    const kept = { note: holder.snapshot.checkpoint };
    const value = { size: BigInt(verdict.size), accepted: false, detail: verdict.detail, kept };
    this.send({ $case: 'verdict', value });
    void holder.refuseServer('CHECKPOINT_INCONSISTENT');
  }

  private async takeDesired(desired: DesiredState): Promise<void> {
    const { holder, logger, identity } = this.parts;
    const verified = await verifyDesired(desired, identity().leaseKeys, logger);
    if (!this.isOpen) return;
    const { incarnation, generation } = verified;
    const { newest } = this;
    // One stream is one server's process: what is older than what it has sent before is late, not rolled back.
    if (incarnation < newest.incarnation || (incarnation === newest.incarnation && generation < newest.generation))
      return;
    this.newest = { incarnation, generation };
    void holder.applyDesired(verified);
    this.takeCuts(desired.cutRecordingIds);
    this.parts.offered(desired.offeredRelease);
    this.parts.uninstallNeedsCode(desired.uninstallNeedsCode);
  }

  /** They need no signature: ending is the safe direction. */
  private takeCuts(recordingIds: readonly string[]): void {
    const cuts = recordingIds.join();
    if (cuts === this.cuts) return;
    this.cuts = cuts;
    void this.parts.cut(recordingIds).catch((error: unknown) => {
      this.cuts = undefined;
      this.parts.logger.error('commands that are to end could not be named', { error });
    });
  }

  private send(message: NonNullable<Parameters<typeof ConnectRequest.fromPartial>[0]['message']>): void {
    if (this.isOpen) this.parts.send(ConnectRequest.fromPartial({ message }));
  }
}

const refusalsText = ({ leaseRefusals }: Holder): string => JSON.stringify([...leaseRefusals]);
