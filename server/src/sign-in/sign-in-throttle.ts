import { CurfewError, formatDuration, TokenBuckets, type Clock } from '@curfew/shared';
import { addressOf } from '../rpc/call-limits.js';

/** Guesses at one name: ten at once, then one in 30 s: 2,900 a day against 12 characters. */
const NAME = { burst: 10, perSecond: 1 / 30 };
/** Guesses from one address, whatever the names. */
const ADDRESS = { burst: 30, perSecond: 1 / 5 };
/** Failures that reach the audit log. */
const AUDITED = { burst: 60, perSecond: 1 / 5 };

/** Who tries to sign in. */
export interface Attempt {
  /** The name as it is compared. */
  readonly nameKey: string;
  /** ADDRESS or ADDRESS:PORT. */
  readonly peer: string;
  /** Whether this user has signed in from this address before. */
  readonly known: boolean;
}

/**
 * Slows guessing down, by name and by address. Strangers who guess at a name use up the strangers' attempts alone: the
 * person whom it belongs to still gets in from where they have been before, and everybody does after a while.
 */
export class SignInThrottle {
  private readonly names: TokenBuckets;
  private readonly addresses: TokenBuckets;
  private readonly audited: TokenBuckets;

  constructor(clock: Clock) {
    this.names = new TokenBuckets(clock, NAME);
    this.addresses = new TokenBuckets(clock, ADDRESS);
    this.audited = new TokenBuckets(clock, AUDITED);
  }

  /** Before an attempt. Errors: TOO_MANY_SIGN_INS. */
  attempt(attempt: Attempt): void {
    const [name, address] = keys(attempt);
    const wait = this.addresses.take(address);
    if (wait > 0) throw tooMany(wait);
    const waitForName = this.names.take(name);
    if (waitForName > 0) throw tooMany(waitForName);
  }

  /** After an attempt that was right: it was no guess. */
  succeeded(attempt: Attempt): void {
    const [name, address] = keys(attempt);
    this.names.giveBack(name);
    this.addresses.giveBack(address);
  }

  /** Whether a failure may go into the audit log: guessing must not fill the disk. */
  mayAudit(): boolean {
    return this.audited.take('') === 0;
  }
}

function keys({ nameKey, peer, known }: Attempt): [string, string] {
  const address = addressOf(peer);
  return [known ? `${nameKey} ${address}` : nameKey, address];
}

const tooMany = (waitMs: number): CurfewError =>
  new CurfewError('TOO_MANY_SIGN_INS', {
    wait: formatDuration(waitMs + 999),
    retryAfterSeconds: Math.ceil(waitMs / 1000),
  });
