import { connect } from 'node:net';

/** Sends bytes as they are over one connection, and gives everything that came back until it was closed. */
export function rawHttp(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(bytes);
    });
    socket.on('data', (chunk) => chunks.push(chunk));
    // What is refused in the middle of sending may end as a reset.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      resolve(Buffer.concat(chunks).toString('latin1'));
    });
  });
}

/** The status of each answer in what came back. */
export const statuses = (text: string): number[] =>
  [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
