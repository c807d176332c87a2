import { SECOND } from '@curfew/shared';
import { signingSecretProblem, WebhookSigner } from '../../notifiers/targets/webhook-signer.js';
import type { ConnectorKind } from '../connector-kind.js';
import { baseAddressProblem, CA_FIELD } from '../http/http-fields.js';
import { JsonClient } from '../http/json-client.js';
import { OperationConnector } from '../operations/operation-connector.js';
import { resourceField } from '../operations/resource-field.js';
import { OperationIds } from './operation-ids.js';
import { WebhookCarrier } from './webhook-carrier.js';

const CALLS_AT_ONCE = 8;

/** A slash at the end would be lost on the way. */
const addressProblem = (value: string): string | undefined =>
  baseAddressProblem(value) ??
  (value.endsWith('/') && new URL(value).pathname !== '/' ? 'must not end with a slash' : undefined);

/** A receiver of signed requests, for everything that has no connector of its own. */
export const WEBHOOK_KIND: ConnectorKind = {
  kind: 'webhook',
  title: 'Webhook',
  settings: [
    {
      name: 'url',
      label: 'Address',
      help: 'The address that every operation is posted to, such as https://access.example.com/curfew.',
      required: true,
      problem: addressProblem,
    },
    {
      name: 'signing_secret',
      label: 'Signing secret',
      help: 'What requests are signed with, known to the receiver as well: whsec_ and 24 to 64 bytes in base64.',
      required: true,
      secret: true,
      problem: signingSecretProblem,
    },
    CA_FIELD,
  ],
  target: [resourceField('receiver')],
  callsAtOnce: CALLS_AT_ONCE,
  callLimitMs: 45 * SECOND,
  open: ({ settings, secrets, target }, { clock, random, guard }) => {
    const secret = secrets['signing_secret'] ?? '';
    const client = new JsonClient({
      base: new URL(settings['url'] ?? ''),
      headers: { accept: 'application/json' },
      contentType: 'application/json',
      secrets: [secret, secret.replace(/^whsec_/, '')],
      ca: settings['ca'] ?? '',
      guard,
      clock,
      connections: CALLS_AT_ONCE,
    });
    const signer = new WebhookSigner(secret, clock);
    const carrier = new WebhookCarrier(client, signer, new OperationIds(random), target['resource'] ?? '');
    return new OperationConnector(carrier, clock);
  },
};
