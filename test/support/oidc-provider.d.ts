/** What the tests use of oidc-provider, which has no types of its own. */
declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http';

  class Provider {
    constructor(issuer: string, configuration: object);
    callback(): RequestListener;
    readonly Client: { find(id: string): Promise<{ backchannelLogout(subject: string, sid: string): Promise<void> }> };
    on(event: string, listener: (...values: unknown[]) => void): void;
  }
  export { Provider as default };
}
