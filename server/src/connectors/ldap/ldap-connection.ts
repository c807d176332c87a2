import { Attribute, Change, Client, type Control, type Entry, type Filter } from 'ldapts';
import type { Socket } from 'node:net';
import type { TargetGuard } from '../../notifiers/targets/target-guard.js';
import { ConnectorError } from '../connector.js';
import { openSocket, secureSocket, type Endpoint } from '../guarded-socket.js';
import { stoppable } from '../stoppable.js';
import { ldapError, ldapResult, LDAP_RESULT } from './ldap-errors.js';
import { startTls } from './start-tls.js';

/** How a directory is reached. */
export interface DirectoryAddress extends Endpoint {
  readonly encryption: 'ldaps' | 'start_tls' | 'none';
  /** PEM; '' for the authorities that Node knows. */
  readonly ca: string;
  readonly bindDn: string;
  readonly password: string;
}

/** One change of one attribute. */
export interface ValueChange {
  readonly operation: 'add' | 'delete';
  readonly attribute: string;
  readonly value: string;
}

/** Attributes whose values are no text. */
const BINARY = ['objectGUID'];

/** One bound connection to a directory. It does not come back once it is lost. Errors of every method: ConnectorError. */
export class LdapConnection {
  /** How many requests were answered. */
  answers = 0;

  private constructor(
    private readonly client: Client,
    private readonly socket: Socket,
  ) {}

  static async open(address: DirectoryAddress, guard: TargetGuard, signal: AbortSignal): Promise<LdapConnection> {
    // RFC 4513, section 5.1.2: a DN without a password is taken for nobody, and a server may call that a success.
    if (address.password === '') throw new ConnectorError('refused', 'the bind DN has no password');
    const socket = await openTransport(address, guard, signal);
    const host = address.host.includes(':') ? `[${address.host}]` : address.host;
    let isTaken = false;
    const client = new Client({
      url: `ldap://${host}:${address.port}`,
      // The library would connect again by itself, without TLS and without a name. It gets this one connection.
      createConnection: () => {
        if (isTaken) throw new Error('it was closed');
        isTaken = true;
        return socket;
      },
    });
    const connection = new LdapConnection(client, socket);
    try {
      const bound = client.bind(address.bindDn, address.password);
      await stoppable(signal, bound, () => connection.destroy());
    } catch (error) {
      connection.destroy();
      throw ldapError(error);
    }
    return connection;
  }

  get isOpen(): boolean {
    return this.client.isConnected && !this.socket.destroyed;
  }

  /** The entry of a DN, undefined when there is none. */
  async read(dn: string, attributes: readonly string[], controls: Control[] = []): Promise<Entry | undefined> {
    try {
      const options = { scope: 'base' as const, attributes: [...attributes], explicitBufferAttributes: BINARY };
      const { searchEntries } = await this.client.search(dn, options, controls);
      this.answers++;
      return searchEntries[0];
    } catch (error) {
      const code = ldapResult(error);
      if (code === LDAP_RESULT.NO_SUCH_OBJECT || code === LDAP_RESULT.INVALID_DN) return undefined;
      throw ldapError(error);
    }
  }

  /** Whether the entry of a DN fits a filter. */
  async fits(dn: string, filter: Filter): Promise<boolean> {
    return (await this.search(dn, 'base', filter, ['1.1'], 1)).length > 0;
  }

  /** Entries below a DN that fit a filter: at most `limit`, 0 for all. References to other servers are left out. */
  async search(
    base: string,
    scope: 'base' | 'sub',
    filter: Filter,
    attributes: readonly string[],
    limit: number,
  ): Promise<readonly Entry[]> {
    try {
      const { searchEntries } = await this.client.search(base, {
        scope,
        filter,
        attributes: [...attributes],
        sizeLimit: limit,
        explicitBufferAttributes: BINARY,
      });
      this.answers++;
      return searchEntries;
    } catch (error) {
      throw ldapError(error);
    }
  }

  /** Makes all of the changes or none. */
  async modify(dn: string, changes: readonly ValueChange[]): Promise<void> {
    try {
      await this.client.modify(
        dn,
        changes.map(
          ({ operation, attribute, value }) =>
            new Change({ operation, modification: new Attribute({ type: attribute, values: [value] }) }),
        ),
      );
    } catch (error) {
      throw ldapError(error);
    }
  }

  destroy(): void {
    this.socket.destroy();
  }
}

async function openTransport(address: DirectoryAddress, guard: TargetGuard, signal: AbortSignal): Promise<Socket> {
  const socket = await openSocket(address, guard, signal);
  if (address.encryption === 'none') return socket;
  if (address.encryption === 'start_tls') await startTls(socket, signal);
  return await secureSocket(socket, address, address.ca, signal);
}

/** All values of an attribute of an entry, as text. */
export function textValues(entry: Entry, attribute: string): readonly string[] {
  const name = Object.keys(entry).find((key) => key.toLowerCase() === attribute.toLowerCase());
  const found = name === undefined ? [] : entry[name];
  return (Array.isArray(found) ? found : [found ?? []].flat()).map(String);
}
