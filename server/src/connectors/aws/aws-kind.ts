import { SECOND } from '@curfew/shared';
import type { ConnectorKind } from '../connector-kind.js';
import { baseAddressProblem } from '../http/http-fields.js';
import { ATTRIBUTES, AwsConnector, RESOURCE_ID, type FindBy } from './aws-connector.js';
import { IdentityStore } from './identity-store.js';

const CALLS_AT_ONCE = 4;

/** Says what is wrong with a value that has a fixed form. */
const form =
  (pattern: RegExp, problem: string) =>
  (value: string): string | undefined =>
    pattern.test(value) ? undefined : problem;

/** Groups of AWS IAM Identity Center. The SDK is an optional package that is loaded when it is used. */
export const AWS_IDENTITY_CENTER_KIND: ConnectorKind = {
  kind: 'aws_identity_center',
  title: 'AWS IAM Identity Center group',
  settings: [
    {
      name: 'region',
      label: 'Region',
      help: 'The region of IAM Identity Center, such as eu-central-1.',
      required: true,
      problem: form(/^[a-z]{2,8}(-[a-z]{2,12}){1,3}-\d{1,2}$/, 'is not a region such as eu-central-1'),
    },
    {
      name: 'identity_store_id',
      label: 'Identity store id',
      help: 'The id of the identity store, such as d-1234567890, from the settings of IAM Identity Center.',
      required: true,
      problem: form(
        /^(d-[0-9a-f]{10}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/,
        'is not the id of an identity store such as d-1234567890',
      ),
    },
    {
      name: 'access_key_id',
      label: 'Access key id',
      help: 'The access key of the IAM user that Curfew is; no other source of credentials is looked at.',
      required: true,
      problem: form(/^\w{16,128}$/, 'is not an access key id'),
      changesAnyTime: true,
    },
    {
      name: 'secret_access_key',
      label: 'Secret access key',
      help: 'The secret of that access key.',
      required: true,
      secret: true,
      problem: form(/^[\x21-\x7e]{16,200}$/, 'is not a secret access key'),
    },
    {
      name: 'find_by',
      label: 'Find people by',
      help: 'What has to be the same here and there: the user name, or one of the mail addresses.',
      choices: Object.keys(ATTRIBUTES),
      defaultValue: 'user_name',
      changesAnyTime: true,
    },
    {
      name: 'endpoint',
      label: 'Endpoint',
      help: "The address of the Identity Store API where it is not the region's own, such as that of a VPC endpoint.",
      problem: baseAddressProblem,
    },
  ],
  target: [
    {
      name: 'group_id',
      label: 'Group id',
      help: 'The id of the group, as its page in the console of IAM Identity Center shows it; it outlives a new name.',
      required: true,
      problem: form(RESOURCE_ID, 'is not the id of a group such as 94482488-3041-7026-18f3-be45837cd0e4'),
    },
  ],
  callsAtOnce: CALLS_AT_ONCE,
  callLimitMs: 60 * SECOND,
  open: ({ settings, secrets, target }, parts) =>
    new AwsConnector(
      new IdentityStore(
        {
          region: settings['region'] ?? '',
          identityStoreId: settings['identity_store_id'] ?? '',
          accessKeyId: settings['access_key_id'] ?? '',
          secretAccessKey: secrets['secret_access_key'] ?? '',
          endpoint: settings['endpoint'] ?? '',
          connections: CALLS_AT_ONCE,
        },
        parts,
      ),
      target['group_id'] ?? '',
      settings['find_by'] === 'mail' ? 'mail' : ('user_name' satisfies FindBy),
      parts.clock,
    ),
};
