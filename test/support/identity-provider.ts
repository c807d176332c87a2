import { createPrivateKey, generateKeyPairSync, sign, type JsonWebKey } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import { HttpClient, type HttpAnswer } from './http-client.js';

export const CLIENT_ID = 'curfew';
export const CLIENT_SECRET = 'a secret of the client, for tests alone';

/** What the provider knows of somebody. */
export interface Claims {
  readonly preferred_username?: string;
  readonly name?: string;
  readonly email?: string;
  readonly groups?: readonly string[];
}

/** A real OpenID Connect provider on loopback. Everybody may sign in there by any name: the subject. */
export class IdentityProvider {
  /** By subject. Whoever is not here is not known, at sign-in and at refresh alike. */
  readonly people = new Map<string, Claims>();
  /** What signs its tokens. */
  readonly key: JsonWebKey;
  private provider: Provider | undefined;

  private constructor(
    private readonly server: http.Server,
    readonly issuer: string,
  ) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.key = { ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'test' };
  }

  static async start(): Promise<IdentityProvider> {
    const server = http.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new IdentityProvider(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  /** Serves one client, whose console is at this address. `offersSignOut`: whether clients may end its own session. */
  serve(consoleUrl: string, offersSignOut = true): void {
    this.provider = new Provider(this.issuer, {
      clients: [
        {
          client_id: CLIENT_ID,
          client_secret: CLIENT_SECRET,
          redirect_uris: [`${consoleUrl}/auth/oidc/callback`],
          post_logout_redirect_uris: [`${consoleUrl}/sign-in`],
          grant_types: ['authorization_code', 'refresh_token'],
          id_token_signed_response_alg: 'ES256',
          backchannel_logout_uri: `${consoleUrl}/auth/oidc/backchannel-logout`,
          backchannel_logout_session_required: true,
        },
      ],
      jwks: { keys: [this.key] },
      cookies: { keys: ['for tests alone'] },
      scopes: ['openid', 'profile', 'email', 'offline_access'],
      claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'groups'], email: ['email'] },
      pkce: { required: () => true },
      issueRefreshToken: () => true,
      rotateRefreshToken: () => true,
      features: { backchannelLogout: { enabled: true }, rpInitiatedLogout: { enabled: offersSignOut } },
      // The provider may call a console that is on loopback.
      fetch: (url: string, options: object) => fetch(url, { ...options, ...{ dispatcher: undefined } } as object),
      findAccount: (_: unknown, subject: string) => {
        const claims = this.people.get(subject);
        return claims === undefined ? undefined : { accountId: subject, claims: () => ({ sub: subject, ...claims }) };
      },
    });
    this.server.removeAllListeners('request').on('request', this.provider.callback());
  }

  /** Tells the console that somebody is out. Errors: when the console does not say that it has understood. */
  async logOut(subject: string, sid: string): Promise<void> {
    const client = await this.provider?.Client.find(CLIENT_ID);
    if (client === undefined) throw new Error('nothing is served yet');
    await client.backchannelLogout(subject, sid);
  }

  /** Signs what this provider never would, or would for somebody else. */
  forge(header: object, payload: object, signed: (input: string) => Buffer = this.signature): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const input = `${part(header)}.${part(payload)}`;
    return `${input}.${signed(input).toString('base64url')}`;
  }

  private readonly signature = (input: string): Buffer => {
    const key = createPrivateKey({ key: this.key, format: 'jwk' });
    return sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  };

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** A browser that signs in at the provider: it follows every redirect and fills in the provider's own forms. */
export class OidcBrowser {
  private readonly clients = new Map<string, HttpClient>();

  constructor(readonly console: HttpClient) {
    this.clients.set(console.origin, console);
  }

  /** Goes there and back, as this subject. Gives the last answer of the console. */
  async signIn(subject: string, start = '/auth/oidc/start'): Promise<HttpAnswer> {
    let answer = await this.console.send(start);
    let at = new URL(start, this.console.origin);
    for (let steps = 0; steps < 20; steps++) {
      const { location } = answer.headers;
      if (location !== undefined) {
        at = new URL(location, at);
        if (at.origin === this.console.origin && at.pathname !== '/auth/oidc/callback') return answer;
        answer = await this.client(at).send(at.pathname + at.search);
        continue;
      }
      const [, action] = /<form[^>]+action="([^"]+)"/.exec(answer.text) ?? [];
      if (action === undefined) return answer;
      at = new URL(action, at);
      const form = answer.text.includes('value="login"')
        ? { prompt: 'login', login: subject, password: 'any' }
        : { prompt: 'consent' };
      answer = await this.client(at).send(at.pathname, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(form).toString(),
      });
    }
    throw new Error('there is no end to the redirects');
  }

  /** Follows the console's word to the provider, and says yes there. Gives the answer that leads back. */
  async signOutThere(url: URL): Promise<HttpAnswer> {
    const client = this.client(url);
    const page = await client.send(url.pathname + url.search);
    const [, action = ''] = /<form[^>]+action="([^"]+)"/.exec(page.text) ?? [];
    const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec(page.text) ?? [];
    return client.send(new URL(action, url).pathname, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ xsrf, logout: 'yes' }).toString(),
    });
  }

  private client(url: URL): HttpClient {
    const known = this.clients.get(url.origin) ?? new HttpClient(url.origin);
    this.clients.set(url.origin, known);
    return known;
  }
}
