import type { AuthState, SignInMethods } from '../src/auth/auth-state.js';
import { roleIsAtLeast, type Role } from '../src/api/method-roles.js';
import { roleFromProto, type Caller } from './caller.js';
import { refuse, Refusal } from './refusal.js';
import type { DeviceCode, World } from './world.js';

/** After so many wrong passwords for one name the fake asks to wait. */
const MOST_FAILURES = 5;
const FRESH_MS = 300_000;
const DEVICE_CODE_LIFE_MS = 600_000;
/** What codes of command lines are made of. */
const CODE_LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';

const lesserRole = (one: Role, other: Role): Role => (roleIsAtLeast(one, other) ? other : one);

/** Signing in at the fake API. */
export class FakeSignIn {
  private readonly failures = new Map<string, number>();
  methods: SignInMethods = { password: true, oidc: { label: 'Sign in with example' } };

  constructor(private readonly world: World) {}

  /** Who calls with a sign-in's id, if it is one. */
  callerOf(signInId: string | undefined): Caller | undefined {
    const signIn = this.world.signIns.get(signInId ?? '');
    const user = this.world.users.get(signIn?.userId ?? '');
    if (signIn === undefined || user === undefined || user.disabled === true) return undefined;
    return { user, role: roleFromProto(user.role), signInId: signIn.id ?? '' };
  }

  /** Who calls with the secret of an API token, if it is one that still works. */
  callerOfToken(secret: string): Caller | undefined {
    const token = this.world.apiTokens.get(`tok-${secret.split('.')[1] ?? ''}`);
    const user = this.world.users.get(token?.userId ?? '');
    if (token === undefined || token.revokeTime !== undefined || user === undefined || user.disabled === true)
      return undefined;
    return { user, role: lesserRole(roleFromProto(user.role), roleFromProto(token.scope)), signInId: '' };
  }

  state(caller: Caller | undefined): AuthState {
    if (caller === undefined) return { signedIn: false, methods: this.methods };
    const { user, role } = caller;
    const credentials = this.world.credentials.get(user.id ?? '');
    const fresh = this.world.signIns.get(caller.signInId)?.freshTime;
    const freshMs = fresh === undefined ? 0 : Date.parse(fresh) + FRESH_MS;
    return {
      signedIn: true,
      user: { id: user.id ?? '', name: user.name ?? '', displayName: user.displayName ?? user.name ?? '', role },
      mustChangePassword: credentials?.mustChange ?? false,
      totpEnabled: user.totpEnabled ?? false,
      hasPassword: user.hasPassword ?? false,
      freshUntil: freshMs > this.world.clock.now() ? new Date(freshMs).toISOString() : null,
      methods: this.methods,
    };
  }

  /** Begins a sign-in and gives its id. */
  signIn(name: string, password: string, code: string | undefined, userAgent: string): string {
    const failed = this.failures.get(name) ?? 0;
    if (failed >= MOST_FAILURES) {
      const { message } = refuse('TOO_MANY_SIGN_INS', { wait: '30s' });
      throw new Refusal('TOO_MANY_SIGN_INS', message, 429, undefined, 30);
    }
    const user = [...this.world.users.values()].find((one) => one.name?.toLowerCase() === name.toLowerCase());
    const credentials = this.world.credentials.get(user?.id ?? '');
    if (user === undefined || user.disabled === true || credentials?.password !== password) {
      this.failures.set(name, failed + 1);
      throw refuse('SIGN_IN_FAILED');
    }
    this.checkCode(credentials.code, code);
    this.failures.delete(name);
    return this.begin(user.id ?? '', credentials.code === '' ? 'password' : 'password and code', userAgent);
  }

  /** Begins a sign-in without a proof, as the provider's return does. */
  begin(userId: string, method: string, userAgent: string): string {
    const id = this.world.id('signIn');
    const user = this.world.users.get(userId);
    this.world.signIns.set(id, {
      id,
      userId,
      userName: user?.name ?? '',
      method,
      address: '127.0.0.1',
      userAgent,
      createTime: this.world.time(),
      lastUsedTime: this.world.time(),
      expireTime: this.world.time(12 * 3_600_000),
      freshTime: this.world.time(),
    });
    if (user !== undefined) this.world.users.set(userId, { ...user, lastSignInTime: this.world.time() });
    return id;
  }

  /** Takes a new proof of who the caller is. */
  prove(caller: Caller, password: string, code: string | undefined): void {
    const credentials = this.world.credentials.get(caller.user.id ?? '');
    if (credentials?.password !== password) throw refuse('SIGN_IN_FAILED');
    this.checkCode(credentials.code, code);
    const signIn = this.world.signIns.get(caller.signInId);
    if (signIn !== undefined) this.world.signIns.set(caller.signInId, { ...signIn, freshTime: this.world.time() });
  }

  /** Ends the caller's sign-in. */
  end(caller: Caller): void {
    this.world.signIns.delete(caller.signInId);
  }

  /** A command line asks to be let in. Gives the code that it shows. */
  beginDevice(client: string, address: string): string {
    const letters = Array.from({ length: 8 }, () => CODE_LETTERS[Math.floor(this.world.random.fraction() * 20)]).join(
      '',
    );
    const userCode = `${letters.slice(0, 4)}-${letters.slice(4)}`;
    const { clock, deviceCodes } = this.world;
    const expireMs = clock.now() + DEVICE_CODE_LIFE_MS;
    const waiting = { userCode, client, address, createTime: this.world.time(), expireMs };
    deviceCodes.set(userCode, { ...waiting, decided: 'waiting' });
    return userCode;
  }

  /** What is shown of a command line that waits. */
  showDevice(userCode: string): { client: string; address: string; createTime: string } {
    const { client, address, createTime } = this.waitingDevice(userCode);
    return { client, address, createTime };
  }

  /** Decides on a command line that waits. */
  decideDevice(userCode: string, approve: boolean): void {
    this.waitingDevice(userCode).decided = approve ? 'approved' : 'denied';
  }

  private waitingDevice(typed: string): DeviceCode {
    const letters = (text: string): string => text.toUpperCase().replaceAll(/[^A-Z]/g, '');
    const code = [...this.world.deviceCodes.values()].find(({ userCode }) => letters(userCode) === letters(typed));
    if (code === undefined || code.expireMs < this.world.clock.now() || code.decided !== 'waiting')
      throw refuse('AUTHORIZATION_EXPIRED');
    return code;
  }

  private checkCode(wanted: string, code: string | undefined): void {
    if (wanted === '') return;
    if (code === undefined || code === '') throw refuse('TOTP_CODE_REQUIRED');
    if (code !== wanted) throw refuse('SIGN_IN_FAILED');
  }
}
