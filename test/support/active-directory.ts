import { BerReader, BerWriter, EqualityFilter, FilterParser, OrFilter, type Filter } from 'ldapts';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const LINK_TTL = '1.2.840.113556.1.4.2309';
const CONFIGURATION = 'CN=Configuration,DC=corp,DC=example';
const FEATURE = `cn=privileged access management feature,cn=optional features,cn=directory service,cn=windows nt,cn=services,${CONFIGURATION.toLowerCase()}`;

export const AD_PEOPLE = 'CN=Users,DC=corp,DC=example';
export const AD_GROUP = 'CN=Ops,OU=Groups,DC=corp,DC=example';

/** Results of RFC 4511, appendix A, that it answers with. */
const RESULT = { success: 0, noSuchObject: 32, invalidDn: 34, unwilling: 53, entryExists: 68 } as const;

interface Request {
  readonly id: number;
  readonly reader: BerReader;
  readonly isTtlWanted: boolean;
}

type Attributes = Readonly<Record<string, readonly (string | Buffer)[]>>;

/**
 * What of Active Directory the connector relies on, in the formats of MS-ADTS, and no more of it: members in ranges,
 * memberships with an end, and its own results for what was already done. One group and its people, without TLS.
 */
export class ActiveDirectory {
  /** Members by their DNs; seconds to the end of the membership, undefined for those without one. */
  readonly members = new Map<string, number | undefined>();
  /** Everybody whom it knows: sAMAccountName by DN. */
  readonly people = new Map<string, string>();
  /** The attributes of members that were asked for. */
  readonly asked: string[] = [];
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly endsMemberships: boolean,
    private readonly rangeSize: number,
  ) {}

  static async start(options: {
    readonly endsMemberships: boolean;
    readonly rangeSize: number;
  }): Promise<ActiveDirectory> {
    const server = createServer();
    const directory = new ActiveDirectory(server, options.endsMemberships, options.rangeSize);
    server.on('connection', (socket) => directory.accept(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return directory;
  }

  get url(): string {
    return `ldap://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Adds a person and gives their DN. */
  addPerson(name: string): string {
    const dn = `CN=${name},${AD_PEOPLE}`;
    this.people.set(dn, name);
    return dn;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    const closed = once(this.server, 'close');
    this.server.close();
    await closed;
  }

  private accept(socket: Socket): void {
    this.sockets.add(socket);
    let held: Buffer = Buffer.alloc(0);
    socket
      .on('error', () => undefined)
      .on('data', (piece) => {
        held = Buffer.concat([held, piece]);
        for (;;) {
          const reader = new BerReader(held);
          if (reader.readSequence() === null || reader.remain < reader.length) return;
          const end = reader.offset + reader.length;
          const message = held.subarray(0, end);
          held = held.subarray(end);
          this.handle(socket, message);
        }
      });
  }

  private handle(socket: Socket, message: Buffer): void {
    const reader = new BerReader(message);
    reader.readSequence();
    const id = reader.readInt() ?? 0;
    const operation = reader.readSequence();
    const request = { id, reader, isTtlWanted: message.includes(LINK_TTL) };
    if (operation === 0x60) socket.write(result(id, 0x61, RESULT.success));
    else if (operation === 0x63) this.search(socket, request);
    else if (operation === 0x66) socket.write(result(id, 0x67, this.modify(reader)));
    else socket.end();
  }

  private search(socket: Socket, { id, reader, isTtlWanted }: Request): void {
    const base = reader.readString() ?? '';
    const isBase = reader.readEnumeration() === 0;
    for (const skip of ['readEnumeration', 'readInt', 'readInt', 'readBoolean'] as const) reader[skip]();
    const filter = FilterParser.parse(reader);
    reader.readSequence();
    const end = reader.offset + reader.length;
    const wanted: string[] = [];
    while (reader.offset < end) wanted.push(reader.readString() ?? '');
    const found = isBase ? this.entry(base, filter, wanted, isTtlWanted) : this.find(filter);
    if (found === undefined) {
      socket.write(result(id, 0x65, RESULT.noSuchObject));
      return;
    }
    for (const [dn, attributes] of found) socket.write(entryMessage(id, dn, attributes));
    socket.write(result(id, 0x65, RESULT.success));
  }

  private find(filter: Filter): readonly [string, Attributes][] {
    const equals = filter instanceof OrFilter ? filter.filters : [filter];
    return [...this.people]
      .filter(([, name]) =>
        equals.some((one) => one instanceof EqualityFilter && String(one.value).toLowerCase() === name.toLowerCase()),
      )
      .map(([dn, name]) => [dn, personAttributes(name)]);
  }

  private entry(
    base: string,
    filter: Filter,
    wanted: readonly string[],
    isTtlWanted: boolean,
  ): readonly [string, Attributes][] | undefined {
    const dn = base.toLowerCase();
    if (dn === '') return [['', { supportedControl: [LINK_TTL], configurationNamingContext: [CONFIGURATION] }]];
    if (dn === FEATURE) {
      return [[base, { 'msDS-EnabledFeatureBL': this.endsMemberships ? [`CN=Partitions,${CONFIGURATION}`] : [] }]];
    }
    if (dn === AD_PEOPLE.toLowerCase()) return [[AD_PEOPLE, {}]];
    if (dn === AD_GROUP.toLowerCase()) {
      if (filter instanceof EqualityFilter)
        return this.memberOf(String(filter.value)) === undefined ? [] : [[AD_GROUP, {}]];
      return [[AD_GROUP, this.groupAttributes(wanted[0] ?? '', isTtlWanted)]];
    }
    const person = [...this.people].find(([known]) => known.toLowerCase() === dn);
    return person === undefined ? undefined : [[person[0], personAttributes(person[1])]];
  }

  private groupAttributes(wanted: string, isTtlWanted: boolean): Attributes {
    if (!wanted.startsWith('member')) return { objectClass: ['top', 'group'] };
    this.asked.push(wanted);
    const first = Number(/;range=(\d+)-/.exec(wanted)?.[1] ?? 0);
    const all = [...this.members].map(([dn, ttl]) => (isTtlWanted && ttl !== undefined ? `<TTL=${ttl},${dn}>` : dn));
    const some = all.slice(first, first + this.rangeSize);
    if (all.length <= this.rangeSize) return { member: all };
    // As Active Directory does it: the attribute itself empty, the values under the name of the range.
    const last = first + some.length === all.length ? '*' : String(first + some.length - 1);
    return { member: [], [`member;range=${first}-${last}`]: some };
  }

  private memberOf(dn: string): string | undefined {
    return [...this.members.keys()].find((member) => member.toLowerCase() === dn.toLowerCase());
  }

  private modify(reader: BerReader): number {
    const before = new Map(this.members);
    if (reader.readString()?.toLowerCase() !== AD_GROUP.toLowerCase()) return RESULT.noSuchObject;
    reader.readSequence();
    const end = reader.offset + reader.length;
    while (reader.offset < end) {
      reader.readSequence();
      const isAdd = reader.readEnumeration() === 0;
      reader.readSequence();
      reader.readString();
      reader.readSequence(0x31);
      const code = this.change(isAdd, reader.readString() ?? '');
      if (code === RESULT.success) continue;
      this.members.clear();
      for (const [dn, ttl] of before) this.members.set(dn, ttl);
      return code;
    }
    return RESULT.success;
  }

  private change(isAdd: boolean, value: string): number {
    const limited = /^<TTL=(\d+),(.*)>$/.exec(value);
    if (limited !== null && !this.endsMemberships) return RESULT.invalidDn;
    const dn = limited?.[2] ?? value;
    const there = this.memberOf(dn);
    if (!isAdd) {
      if (there === undefined) return RESULT.unwilling;
      this.members.delete(there);
      return RESULT.success;
    }
    if (there !== undefined) return RESULT.entryExists;
    const known = [...this.people.keys()].find((person) => person.toLowerCase() === dn.toLowerCase());
    if (known === undefined) return RESULT.noSuchObject;
    this.members.set(known, limited === null ? undefined : Number(limited[1]));
    return RESULT.success;
  }
}

/** The GUID is made from the name, in the 16 raw bytes that Active Directory gives. */
const personAttributes = (name: string): Attributes => ({
  sAMAccountName: [name],
  objectGUID: [Buffer.from(name.padEnd(16, '\xff').slice(0, 16), 'latin1')],
});

function message(id: number, body: (writer: BerWriter) => void): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt(id);
  body(writer);
  writer.endSequence();
  return writer.buffer;
}

const result = (id: number, operation: number, code: number): Buffer =>
  message(id, (writer) => {
    writer.startSequence(operation);
    writer.writeEnumeration(code);
    writer.writeString('');
    writer.writeString('');
    writer.endSequence();
  });

const entryMessage = (id: number, dn: string, attributes: Attributes): Buffer =>
  message(id, (writer) => {
    writer.startSequence(0x64);
    writer.writeString(dn);
    writer.startSequence();
    for (const [name, values] of Object.entries(attributes)) {
      writer.startSequence();
      writer.writeString(name);
      writer.startSequence(0x31);
      for (const value of values) writer.writeBuffer(Buffer.from(value as string), 0x04);
      writer.endSequence();
      writer.endSequence();
    }
    writer.endSequence();
    writer.endSequence();
  });
