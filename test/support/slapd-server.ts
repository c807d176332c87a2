import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { receiverCertificate } from './receiver-certificate.js';
import { scratchFolder } from './scratch.js';
import { freePort, ServerProcess } from './server-process.js';
import { captureTool, runTool, type ToolResult } from './tool.js';
import { eventually } from './wait.js';

export const SUFFIX = 'dc=example,dc=org';

/** Who may do everything. */
const ROOT = { dn: `cn=root,${SUFFIX}`, password: 'root secret' } as const;

/** The account that the connector uses: it reads people and groups, and writes the members of groups, nothing else. */
export const CONNECTOR_ACCOUNT = { dn: `cn=curfew,${SUFFIX}`, password: 'connector secret' } as const;

export interface SlapdOptions {
  /** Whether members follow when their entry is renamed or removed. Default false. */
  readonly followsRenames?: boolean;
  /** Another address of this machine, where it can be reached as well. */
  readonly address?: string;
  /** Rules of sudo are entries too, which everybody may read. */
  readonly sudoers?: { readonly schemaFile: string };
}

/** Where the rules of sudo are, in a directory that has some. */
export const SUDOERS = `ou=SUDOers,${SUFFIX}`;

/** A real OpenLDAP of the system, with nothing in it but a few folders. It takes no password that is not encrypted. */
export class SlapdServer {
  private constructor(
    private readonly folder: string,
    private readonly process: ServerProcess,
    readonly port: number,
    readonly securePort: number,
    /** PEM. */
    readonly ca: string,
    private readonly caFile: string,
  ) {}

  static async start(options: SlapdOptions = {}): Promise<SlapdServer> {
    const folder = scratchFolder('slapd');
    const { key, cert, caFile } = await receiverCertificate(folder, options.address);
    mkdirSync(join(folder, 'db'));
    writeFileSync(join(folder, 'server.crt'), cert);
    writeFileSync(join(folder, 'server.key'), key, { mode: 0o600 });
    writeFileSync(join(folder, 'slapd.conf'), configuration(folder, caFile, options));
    const [port, securePort] = [await freePort(), await freePort()];
    const more = options.address === undefined ? '' : ` ldap://${options.address}:${port}`;
    const urls = `ldap://127.0.0.1:${port} ldaps://127.0.0.1:${securePort}${more}`;
    const process = ServerProcess.start(['slapd', '-d', '0', '-f', join(folder, 'slapd.conf'), '-h', urls]);
    const ca = (await runTool('cat', [caFile])).trim();
    const server = new SlapdServer(folder, process, port, securePort, ca, caFile);
    try {
      await eventually(() => server.answers(), { withinMs: 20_000, what: 'slapd answers' });
      await server.apply(BEGINNING);
      if (options.sudoers !== undefined) await server.apply(folderEntry('SUDOers'));
    } catch (error) {
      await server.stop();
      throw new Error(`slapd: ${process.log}`, { cause: error });
    }
    return server;
  }

  /** Changes entries as the root of the directory, by records of LDIF. */
  async apply(ldif: string): Promise<void> {
    await runTool('ldapmodify', [...this.access(), '-D', ROOT.dn, '-w', ROOT.password], {
      stdin: ldif,
      env: this.environment(),
    });
  }

  /** The values of an attribute of an entry, by ldapsearch. Without one when there is no such entry. */
  async values(dn: string, attribute: string): Promise<readonly string[]> {
    const result = await this.search(dn, '(objectClass=*)', attribute);
    if (result.exitCode === 32) return [];
    if (result.exitCode !== 0) throw new Error(result.stderr);
    return result.stdout.split('\n').flatMap((line) => {
      const [, name = '', encoded, text = ''] = /^([^:]+):(:?) (.*)$/.exec(line) ?? [];
      if (name.toLowerCase() !== attribute.toLowerCase()) return [];
      return [encoded === ':' ? Buffer.from(text, 'base64').toString('utf8') : text];
    });
  }

  /** Whether an entry fits a filter, by ldapsearch. */
  async fits(dn: string, filter: string): Promise<boolean> {
    const { exitCode, stdout, stderr } = await this.search(dn, filter, '1.1');
    if (exitCode !== 0) throw new Error(stderr);
    return stdout.includes('dn:');
  }

  async stop(): Promise<void> {
    await this.process.stop('SIGINT');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private search(dn: string, filter: string, attribute: string): Promise<ToolResult> {
    const how = ['-LLL', '-o', 'ldif-wrap=no', '-s', 'base', '-b', dn, filter, attribute];
    return captureTool('ldapsearch', [...this.access(), '-D', ROOT.dn, '-w', ROOT.password, ...how], {
      env: this.environment(),
    });
  }

  private async answers(): Promise<boolean> {
    if (!this.process.isRunning) throw new Error('slapd has ended');
    const args = [...this.access(), '-LLL', '-s', 'base', '-b', '', 'supportedExtension'];
    return (await captureTool('ldapsearch', args, { env: this.environment() })).exitCode === 0;
  }

  private access(): readonly string[] {
    return ['-x', '-ZZ', '-H', `ldap://127.0.0.1:${this.port}`];
  }

  private environment(): NodeJS.ProcessEnv {
    return { PATH: '/usr/bin:/bin', LDAPTLS_CACERT: this.caFile };
  }
}

function configuration(folder: string, caFile: string, { followsRenames = false, sudoers }: SlapdOptions): string {
  const schemas = ['core', 'cosine', 'nis', 'inetorgperson'].map((name) => `include /etc/ldap/schema/${name}.schema`);
  const members = 'member,uniqueMember,memberUid';
  const account = `dn.exact="${CONNECTOR_ACCOUNT.dn}"`;
  return [
    ...schemas,
    ...(sudoers === undefined ? [] : [`include ${sudoers.schemaFile}`]),
    'modulepath /usr/lib/ldap',
    'moduleload back_mdb',
    'moduleload memberof',
    'moduleload refint',
    `pidfile ${join(folder, 'slapd.pid')}`,
    `TLSCACertificateFile ${caFile}`,
    `TLSCertificateFile ${join(folder, 'server.crt')}`,
    `TLSCertificateKeyFile ${join(folder, 'server.key')}`,
    'security simple_bind=128',
    'database mdb',
    'maxsize 67108864',
    // Not for power cuts, and much faster.
    'dbnosync',
    `suffix "${SUFFIX}"`,
    `rootdn "${ROOT.dn}"`,
    `rootpw "${ROOT.password}"`,
    `directory ${join(folder, 'db')}`,
    'access to attrs=userPassword by anonymous auth by * none',
    `access to dn.subtree="ou=groups,${SUFFIX}" attrs=${members} by ${account} write by * none`,
    ...(sudoers === undefined ? [] : [`access to dn.subtree="${SUDOERS}" by * read`]),
    `access to * by ${account} read by * none`,
    ...(followsRenames ? ['overlay refint', 'refint_attributes member uniqueMember'] : ['overlay memberof']),
    '',
  ].join('\n');
}

const folderEntry = (name: string): string =>
  `dn: ou=${name},${SUFFIX}\nchangetype: add\nobjectClass: organizationalUnit\nou: ${name}\n`;

const BEGINNING = [
  `dn: ${SUFFIX}\nchangetype: add\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n`,
  folderEntry('people'),
  folderEntry('groups'),
  `dn: ${CONNECTOR_ACCOUNT.dn}\nchangetype: add\nobjectClass: organizationalRole\n` +
    `objectClass: simpleSecurityObject\ncn: curfew\nuserPassword: ${CONNECTOR_ACCOUNT.password}\n`,
].join('\n');
