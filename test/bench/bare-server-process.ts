import { CertificateAuthority, SecretFiles } from '@curfew/server';
import { DAY, SystemClock, systemRandom } from '@curfew/shared';
import * as grpc from '@grpc/grpc-js';
import { BARE_SERVICE } from './bare-protocol.js';

/** The bare server: mTLS and streams as the real one has them, and nothing behind. $1 is the folder of the CA. */
const ca = await CertificateAuthority.open(new SecretFiles(process.argv[2] ?? ''), new SystemClock(), systemRandom);
const issued = await ca.issueServer(['curfew-server'], DAY);
const links = new Set<grpc.ServerDuplexStream<Buffer, Buffer>>();
let open = 0;
let answer = (): void => undefined;

const server = new grpc.Server({ 'grpc.keepalive_time_ms': 4_000, 'grpc.keepalive_timeout_ms': 4_000 });
server.addService(BARE_SERVICE, {
  link: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => {
    links.add(call);
    call.on('data', () => {
      open -= 1;
      if (open === 0) answer();
    });
    call.on('cancelled', () => links.delete(call));
  },
  fanOut: (call: grpc.ServerUnaryCall<Buffer, Buffer>, callback: grpc.sendUnaryData<Buffer>) => {
    open = links.size;
    answer = () => {
      callback(null, Buffer.alloc(0));
    };
    for (const link of links) link.write(call.request);
  },
});
const credentials = grpc.ServerCredentials.createSsl(
  Buffer.from(ca.certificate),
  [{ cert_chain: Buffer.from(issued.pem), private_key: Buffer.from(issued.keyPem) }],
  false,
);
server.bindAsync('127.0.0.1:0', credentials, (error, port) => {
  if (error !== null) throw error;
  process.send?.(port);
});
process.once('disconnect', () => process.exit(0));
