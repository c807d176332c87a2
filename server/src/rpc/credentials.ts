/** What a door has read of a call to know its caller by. A method looks only at what it asks for. */
export interface Credentials {
  /** An API token. */
  readonly token?: string | undefined;
  /** The secret of a sign-in, from a browser's cookie. */
  readonly signIn?: string | undefined;
  /** A client certificate whose chain was verified against the CA, DER. */
  readonly certificate?: () => Buffer | undefined;
}

/** The token of an Authorization header; undefined when it holds none. */
export const bearerToken = (header: string | undefined): string | undefined =>
  /^Bearer (\S{1,200})$/.exec(header ?? '')?.[1];
