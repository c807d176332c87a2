import * as grpc from '@grpc/grpc-js';
import { readFileSync } from 'node:fs';
import { BARE_OPTIONS, BARE_SERVICE } from './bare-protocol.js';
import type { BareLinksCommand } from './bare-links.js';
import { spread } from './fleet.js';

/** Many links to the bare server. $1 is its address, $2 the certificate of the CA. Does what it is told, one after the other. */
const [address = '', ca = ''] = process.argv.slice(2);
const rootCertificate = readFileSync(ca);
const known: grpc.ChannelCredentials[] = [];
const links: grpc.Client[] = [];

async function link(credentials: grpc.ChannelCredentials, reply: Buffer): Promise<void> {
  const client = new grpc.Client(address, credentials, BARE_OPTIONS);
  links.push(client);
  await new Promise<void>((resolve, reject) => {
    client.waitForReady(Date.now() + 120_000, (error) => {
      if (error === undefined) resolve();
      else reject(error);
    });
  });
  const { path, requestSerialize, responseDeserialize } = BARE_SERVICE.link;
  const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  stream.on('error', () => undefined);
  stream.on('data', () => stream.write(reply));
}

async function obey(command: BareLinksCommand): Promise<void> {
  if (command.kind === 'know')
    for (const { key, certificate } of command.identities)
      known.push(grpc.credentials.createSsl(rootCertificate, Buffer.from(key), Buffer.from(certificate)));
  else if (command.kind === 'link')
    await spread(known.slice(links.length), command.atOnce, (credentials) => link(credentials, command.reply));
  else for (const client of links.splice(0)) client.close();
}

process.on('message', (command: BareLinksCommand) => {
  void obey(command).then(() => process.send?.('done'));
});
process.once('disconnect', () => process.exit(0));
