import { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { CurfewError, type Clock, durationMs } from '@curfew/shared/cli';

const CONNECT_WITHIN = durationMs(10_000);

/**
 * Fetches the certificates that a server shows, without trusting any, and gives the one with the SHA-256 fingerprint,
 * PEM. Errors: SERVER_UNREACHABLE; CONFIG_INVALID when none has it, which means another server, or somebody in between.
 */
export async function fetchPinnedCa(address: string, fingerprint: string, clock: Clock): Promise<string> {
  const wanted = fingerprint.replaceAll(':', '').toLowerCase();
  const shown = await shownCertificates(address, clock);
  const found = shown.find((certificate) => hexFingerprint(certificate) === wanted);
  if (found === undefined)
    throw new CurfewError('CONFIG_INVALID', {
      problems:
        `${address} shows no certificate with the fingerprint ${wanted}; it is another server, or somebody is in ` +
        `between (it shows ${shown.map(hexFingerprint).join(', ')})`,
    });
  return found.toString();
}

const hexFingerprint = (certificate: X509Certificate): string =>
  certificate.fingerprint256.replaceAll(':', '').toLowerCase();

function shownCertificates(address: string, clock: Clock): Promise<X509Certificate[]> {
  const [, host, port] = /^\[?(.+?)\]?:(\d+)$/.exec(address) ?? [];
  return new Promise((resolve, reject) => {
    const fail = (detail: string, cause?: unknown): void => {
      cancel();
      socket.destroy();
      reject(new CurfewError('SERVER_UNREACHABLE', { address, detail }, { cause }));
    };
    const cancel = clock.after(CONNECT_WITHIN, () => fail('it did not answer in time'));
    // Nothing is sent over this connection; what it shows is judged by its fingerprint alone.
    const socket = connect({
      host: host ?? address,
      port: Number(port),
      servername: 'curfew-server',
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
    });
    socket.once('error', (error: Error) => fail(error.message, error));
    socket.once('secureConnect', () => {
      cancel();
      resolve(chainOf(socket.getPeerCertificate(true)));
      socket.destroy();
    });
  });
}

/** A certificate as node:tls shows it: linked to its issuer, a root to itself, the last of an unfinished chain to none. */
interface ShownCertificate {
  readonly raw: Buffer;
  readonly fingerprint256: string;
  readonly issuerCertificate?: ShownCertificate;
}

function chainOf(leaf: ShownCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  const seen = new Set<string>();
  let next: ShownCertificate | undefined = leaf;
  while (next !== undefined && !seen.has(next.fingerprint256)) {
    seen.add(next.fingerprint256);
    chain.push(new X509Certificate(next.raw));
    next = next.issuerCertificate;
  }
  return chain;
}
