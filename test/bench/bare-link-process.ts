import * as grpc from '@grpc/grpc-js';
import { readFileSync } from 'node:fs';
import { BARE_OPTIONS, BARE_SERVICE } from './bare-protocol.js';

/** A program that holds a link to the bare server and does nothing else. $1 is its address, $2 the certificate of the CA. */
const [address = '', ca = ''] = process.argv.slice(2);
const client = new grpc.Client(address, grpc.credentials.createSsl(readFileSync(ca)), BARE_OPTIONS);
const { path, requestSerialize, responseDeserialize } = BARE_SERVICE.link;
client.waitForReady(Date.now() + 20_000, (error) => {
  if (error !== undefined) throw error;
  const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  stream.on('data', (message: Buffer) => stream.write(message));
  process.send?.('linked');
});
process.once('disconnect', () => process.exit(0));
