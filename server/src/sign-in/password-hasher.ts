import { hash, verify } from '@node-rs/argon2';
import { CurfewError, type Random } from '@curfew/shared';

/** argon2id as OWASP's Password Storage Cheat Sheet asks for at least: 19 MiB, two passes, one lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** How many are worked out at once: each takes a thread and 19 MiB. */
const AT_ONCE = 2;
/** How many may wait for their turn. */
const MAY_WAIT = 64;

/** Hashes and checks passwords. A flood of sign-ins costs a bounded amount of memory and threads. */
export class PasswordHasher {
  private running = 0;
  private readonly waiting: (() => void)[] = [];
  private readonly nobody: Promise<string>;

  constructor(random: Random) {
    this.nobody = hash(random.bytes(32).toString('base64'), COST);
  }

  /** The hash of a password, in the PHC string format. Errors: TOO_MANY_SIGN_INS. */
  hash(password: string): Promise<string> {
    return this.inTurn(() => hash(password, COST));
  }

  /** Whether it is the password. Takes as long without a hash, and is false then. Errors: TOO_MANY_SIGN_INS. */
  async verify(known: string | undefined, password: string): Promise<boolean> {
    const against = known ?? (await this.nobody);
    return (await this.inTurn(() => verify(against, password))) && known !== undefined;
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= AT_ONCE) {
      if (this.waiting.length >= MAY_WAIT)
        throw new CurfewError('TOO_MANY_SIGN_INS', { wait: 'a moment', retryAfterSeconds: 1 });
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else this.running += 1;
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.running -= 1;
      else next();
    }
  }
}
