import { randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { JsonHttp } from './json-http.js';
import { operationsRight } from './operations.js';
import { Receiver, SIGNING_SECRET } from './receiver.js';
import { placeNumbers, type Place, type Right, type Stage } from './right.js';

const resourceName = (at: number): string => `ops-${at}`;

/** Resources behind one receiver of signed requests. */
export async function webhookStage(): Promise<Stage> {
  const receiver = await Receiver.start();
  return {
    places: placeNumbers.map((at) => ({
      kind: 'webhook',
      settings: { url: receiver.url },
      secrets: { signing_secret: SIGNING_SECRET },
      target: { resource: resourceName(at) },
    })),
    held: () => Promise.resolve(placeNumbers.reduce((sum, at) => sum + receiver.members(resourceName(at)).size, 0)),
    close: () => receiver.stop(),
  };
}

/** The same by HTTP and the library that signs. */
export function webhookLibrary({ settings, secrets, target }: Place): Promise<Right> {
  const signer = new Webhook(secrets['signing_secret'] ?? '');
  const http = new JsonHttp(settings['url'] ?? '', { 'content-type': 'application/json' });
  const carry = async (operation: object): Promise<unknown> => {
    const [id, at] = [`op-${randomUUID()}`, new Date()];
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': signer.sign(id, at, JSON.stringify(operation)),
    };
    return (await http.call('POST', '', operation, headers)).body;
  };
  return Promise.resolve(operationsRight(target['resource'] ?? '', carry, () => http.close()));
}
