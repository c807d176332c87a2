import type { Identitystore } from '@aws-sdk/client-identitystore';
import { durationMs, SECOND } from '@curfew/shared';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { ConnectorParts } from '../connector-kind.js';
import { ConnectorError } from '../connector.js';
import { withinLimit } from '../within-limit.js';
import { identityStoreFailure } from './identity-store-error.js';

/** Where the service is, and as whom it is called. */
export interface IdentityStoreSetup {
  readonly region: string;
  readonly identityStoreId: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** '' for the region's own. */
  readonly endpoint: string;
  readonly connections: number;
}

type Sdk = typeof import('@aws-sdk/client-identitystore');
/** Loads the SDK. It is an optional package: large, and of no use to most. */
export type LoadSdk = () => Promise<Sdk>;

const PACKAGE = '@aws-sdk/client-identitystore';
const loadSdk: LoadSdk = () => import('@aws-sdk/client-identitystore');

/** One call of the service. */
type Call<T> = (api: Identitystore, options: { readonly abortSignal: AbortSignal }) => Promise<T>;

/** How long one call may take. */
const CALL_LIMIT_MS = durationMs(20 * SECOND);

/** What the SDK would log goes nowhere: what matters is in the errors. */
const silent = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };
function ignore(): void {}

/** One identity store. The SDK is loaded with the first call, and takes nothing from environment, files or machine. */
export class IdentityStore {
  private client: Promise<Identitystore> | undefined;

  constructor(
    private readonly setup: IdentityStoreSetup,
    private readonly parts: ConnectorParts,
    private readonly load: LoadSdk = loadSdk,
  ) {}

  get id(): string {
    return this.setup.identityStoreId;
  }

  /** Does one call. Errors: ConnectorError. */
  async call<T>(signal: AbortSignal, work: Call<T>): Promise<T> {
    try {
      return await this.tried(signal, work);
    } catch (error) {
      throw this.failure(error);
    }
  }

  /** Does one call, and gives undefined where it fails in an expected way. Errors: ConnectorError for the other ways. */
  async callUnless<T>(
    expected: (error: unknown) => boolean,
    signal: AbortSignal,
    work: Call<T>,
  ): Promise<T | undefined> {
    try {
      return await this.tried(signal, work);
    } catch (error) {
      if (expected(error)) return undefined;
      throw this.failure(error);
    }
  }

  /** Ends kept connections. */
  async close(): Promise<void> {
    const client = await this.client?.catch(() => undefined);
    client?.destroy();
  }

  private async tried<T>(signal: AbortSignal, work: Call<T>): Promise<T> {
    const api = await this.api();
    return withinLimit({
      clock: this.parts.clock,
      limitMs: CALL_LIMIT_MS,
      signal,
      work: (abortSignal) => work(api, { abortSignal }),
    });
  }

  private failure(error: unknown): ConnectorError {
    return identityStoreFailure(error, [this.setup.secretAccessKey]);
  }

  private api(): Promise<Identitystore> {
    this.client ??= this.open().catch((error: unknown) => {
      this.client = undefined;
      throw error;
    });
    return this.client;
  }

  private async open(): Promise<Identitystore> {
    const { region, accessKeyId, secretAccessKey, endpoint, connections } = this.setup;
    const { guard } = this.parts;
    if (endpoint !== '') guard.checkLiteral(new URL(endpoint).hostname);
    const { Identitystore } = await this.loaded();
    const agent = { keepAlive: true, maxSockets: connections, lookup: guard.lookup };
    return new Identitystore({
      region,
      credentials: { accessKeyId, secretAccessKey },
      ...(endpoint === '' ? {} : { endpoint }),
      ignoreConfiguredEndpointUrls: true,
      useFipsEndpoint: false,
      useDualstackEndpoint: false,
      defaultsMode: 'standard',
      retryMode: 'standard',
      // Who calls a connector tries again, and knows when.
      maxAttempts: 1,
      userAgentAppId: 'curfew-server',
      logger: silent,
      requestHandler: { httpAgent: new HttpAgent(agent), httpsAgent: new HttpsAgent(agent), logger: silent },
    });
  }

  private async loaded(): Promise<Sdk> {
    try {
      return await this.load();
    } catch (cause) {
      throw new ConnectorError('refused', `the server lacks the optional package ${PACKAGE}: install it`, undefined, {
        cause,
      });
    }
  }
}
