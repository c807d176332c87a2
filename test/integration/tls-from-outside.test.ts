import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { describeOn } from '../support/machine-needs.js';
import { scratchFolder } from '../support/scratch.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { captureTool } from '../support/tool.js';

/** One thing that testssl.sh has found. */
interface Finding {
  readonly id: string;
  readonly severity: 'DEBUG' | 'INFO' | 'OK' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL' | 'WARN' | 'FATAL';
  readonly finding: string;
}

/** Protocols, certificate, renegotiation, compression and Heartbleed: the parts that mean something where TLS 1.3 is all. */
const PARTS = ['--protocols', '--server-defaults', '--renegotiation', '--compression', '--heartbleed'];
/** Nothing is asked of the network but the server itself. */
const QUIET = ['--quiet', '--warnings', 'batch', '--color', '0', '--nodns', 'none', '--ip', '127.0.0.1'];
/** Ciphers of GOST need a module of OpenSSL that Debian recommends and a machine may lack; it says so as of a fault. */
const WITHOUT_GOST = { NO_ENGINE: 'true' };
/** Against hanging: it takes half a minute where much else goes on. */
const LONGEST_MS = 150_000;

/**
 * What testssl.sh says of resumption when its first connection, which sends nothing, was over before the session had come that the
 * second one was to take up: TLS 1.3 sends it after the handshake. It has found out nothing then, and `isResumed` alone says it.
 */
const FOUND_OUT_NOTHING = 'check failed because of connect problem';

/**
 * What it says, and ends, when its first connection was closed by the server, for it speaks no protocol that the server does, before
 * the handshake was told of. Under load that is a matter of luck.
 */
const NOT_REACHED = 'Your OpenSSL cannot connect';

/** What is no fault here. Certificates last for weeks and the CA is the server's own: devices are told by the ledger who is out. */
const KNOWN: Readonly<Record<string, string>> = { cert_revocation: 'HIGH' };

describeOn([{ program: 'testssl' }], 'TLS as testssl.sh sees it', function () {
  this.timeout(3 * LONGEST_MS);
  let server: TestServer;
  let folder: string;

  before(async () => {
    folder = scratchFolder('testssl');
    server = await startTestServer({ CURFEW_HTTP_TLS: 'on' });
  });
  after(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  /** Everything that it finds at an address, by what it calls it. */
  async function found(address: string, parts: readonly string[]): Promise<Map<string, Finding>> {
    const file = join(folder, `${address.replace(/\W+/g, '-')}.json`);
    const args = [...QUIET, '--add-ca', server.running.caFile, ...parts, '--jsonfile', file, address];
    const options = { timeoutMs: LONGEST_MS, env: { ...process.env, ...WITHOUT_GOST } };
    let { stdout } = await captureTool('testssl', args, options);
    for (let again = 0; again < 2 && stdout.includes(NOT_REACHED); again++) {
      rmSync(file, { force: true });
      ({ stdout } = await captureTool('testssl', args, options));
    }
    const findings = JSON.parse(readFileSync(file, 'utf8')) as Finding[];
    assert.ok(findings.length > 20, stdout);
    const isSaid = ({ id, finding }: Finding): boolean =>
      !id.startsWith('sessionresumption_') || finding !== FOUND_OUT_NOTHING;
    return new Map(findings.filter(isSaid).map((one) => [one.id, one]));
  }

  /** Whether a session that the server has given is taken up again. */
  async function isResumed(address: string, protocol: string): Promise<boolean> {
    const { hostname: host, port } = new URL(address);
    const options = { host, port: Number(port), ca: readFileSync(server.running.caFile), ALPNProtocols: [protocol] };
    const first = connect(options);
    const [session] = (await once(first, 'session')) as [Buffer];
    first.destroy();
    const second = connect({ ...options, session });
    await once(second, 'secureConnect');
    const reused = second.isSessionReused();
    second.destroy();
    return reused;
  }

  const grave = (findings: ReadonlyMap<string, Finding>): Record<string, string> =>
    Object.fromEntries(
      [...findings.values()].flatMap(({ id, severity }) =>
        ['DEBUG', 'INFO', 'OK'].includes(severity) ? [] : [[id, severity]],
      ),
    );

  function assertOnlyTls13(findings: ReadonlyMap<string, Finding>): void {
    const told = (id: string): string => findings.get(id)?.finding ?? 'nothing';
    for (const id of ['SSLv2', 'SSLv3', 'TLS1', 'TLS1_1', 'TLS1_2']) assert.equal(told(id), 'not offered', id);
    assert.match(told('TLS1_3'), /^offered/);
    assert.match(told('cert_chain_of_trust'), /^passed/);
    assert.match(told('cert_trust'), /^Ok via SAN/);
    assert.match(told('secure_client_renego'), /^not vulnerable/);
    assert.match(told('heartbleed'), /^not vulnerable/);
  }

  it('is TLS 1.3 alone at the port of agents and the API, resumes nothing, and has no fault', async () => {
    const findings = await found(server.address, PARTS);
    assertOnlyTls13(findings);
    assert.deepEqual(grave(findings), KNOWN);
    assert.equal(findings.get('ALPN_HTTP2')?.finding, 'h2');
    for (const id of ['sessionresumption_ticket', 'sessionresumption_ID'])
      assert.match(findings.get(id)?.finding ?? 'not supported', /^(not supported|No Session ID, no resumption)$/, id);
    assert.equal(await isResumed(`https://${server.address}`, 'h2'), false);
  });

  it("is TLS 1.3 alone at the console's port, and has no fault", async () => {
    const findings = await found(server.consoleUrl, [...PARTS, '--breach', '--headers']);
    assertOnlyTls13(findings);
    // The page itself is compressed, and is the same for everybody: no secret is in it. Answers of the API are not.
    assert.deepEqual(grave(findings), { ...KNOWN, BREACH: 'MEDIUM' });
    assert.equal(findings.get('X-Frame-Options')?.finding, 'DENY');
    assert.equal(await isResumed(server.consoleUrl, 'http/1.1'), false);
  });
});
