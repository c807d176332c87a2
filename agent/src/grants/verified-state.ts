import type { EndReason, ErrorCode, LeaseClaims } from '@curfew/shared';

/** A desired state whose leases have been verified, or refused with a code. */
export interface VerifiedDesired {
  readonly generation: number;
  readonly incarnation: number;
  readonly revokedEpoch: number;
  readonly leases: readonly LeaseClaims[];
  /** Why leases were refused of which nothing can be trusted, one code for each. */
  readonly refused: readonly ErrorCode[];
  readonly endNotices: ReadonlyMap<string, EndNotice>;
  /** The newest checkpoint of the server's audit log; '' when it does not say. */
  readonly checkpoint: string;
  /** Sessions that have no lease, and whose rights stay where they are held. */
  readonly kept: readonly string[];
}

/** Why a session is over that a desired state no longer holds. */
export interface EndNotice {
  readonly reason: EndReason;
  readonly detail: string;
  /** Of the operator's call, for the log; '' when there was none. */
  readonly requestId: string;
}

/** An end that the server has decided. */
export interface OrderedEnd {
  /** Called before it is reported: the server needs no record of it. */
  readonly known: () => void;
  readonly requestId: string;
}
