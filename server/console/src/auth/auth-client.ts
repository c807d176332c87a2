import type { ApiClient } from '../api/api-client.js';
import type { AuthState } from './auth-state.js';

/** A command line that waits to be let in. What it calls itself is its own word, and hostile. */
export interface WaitingTool {
  readonly client: string;
  readonly address: string;
  readonly createTime: string;
}

/** Signing in and out: what of the server is not an API method. Refusals are thrown as ApiErrors. */
export class AuthClient {
  constructor(private readonly api: ApiClient) {}

  state(): Promise<AuthState> {
    return this.api.getAuth('/auth/state');
  }

  /** Errors: SIGN_IN_FAILED, ONE_TIME_PASSWORD_EXPIRED, TOTP_CODE_REQUIRED, TOO_MANY_SIGN_INS. */
  signIn(name: string, password: string, code: string): Promise<AuthState> {
    return this.api.postAuth('/auth/login', { name, password, ...(code === '' ? {} : { code }) });
  }

  /** Signs out here. Gives the provider's own page for signing out there, when there is one to go to. */
  async signOut(): Promise<string | undefined> {
    const answer = await this.api.postAuth<{ readonly providerUrl: string } | undefined>('/auth/logout', {});
    return answer?.providerUrl;
  }

  /** Proves once more who this is, for what needs a fresh sign-in. Errors: SIGN_IN_FAILED, TOTP_CODE_REQUIRED. */
  prove(password: string, code: string): Promise<AuthState> {
    return this.api.postAuth('/auth/fresh', { password, ...(code === '' ? {} : { code }) });
  }

  /** Which command line shows this code. Errors: AUTHORIZATION_EXPIRED, TOO_MANY_SIGN_INS. */
  showDevice(userCode: string): Promise<WaitingTool> {
    return this.api.postAuth('/auth/device/show', { userCode });
  }

  /** Lets a command line that shows this code act as the person who is signed in, or refuses it. Errors as for showDevice. */
  decideDevice(userCode: string, approve: boolean): Promise<void> {
    return this.api.postAuth('/auth/device/approve', { userCode, approve });
  }
}

/** Where signing in through the provider begins. The server goes back only to paths of its own. */
export const oidcStartPath = (next: string): string => `/auth/oidc/start?next=${encodeURIComponent(next)}`;
