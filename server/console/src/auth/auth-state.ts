import type { Role } from '../api/method-roles.js';

/** How one can sign in here. */
export interface SignInMethods {
  readonly password: boolean;
  readonly oidc: { readonly label: string } | null;
}

/** The person who is signed in. */
export interface SignedInUser {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly role: Role;
}

/** What `GET /auth/state` answers. */
export type AuthState =
  | { readonly signedIn: false; readonly methods: SignInMethods }
  | {
      readonly signedIn: true;
      readonly user: SignedInUser;
      readonly mustChangePassword: boolean;
      readonly totpEnabled: boolean;
      /** Without one, the provider alone can prove who this is. */
      readonly hasPassword: boolean;
      /** Until when the last proof of who this is counts as fresh. */
      readonly freshUntil: string | null;
      readonly methods: SignInMethods;
    };

export type SignedIn = Extract<AuthState, { signedIn: true }>;
