/** What earlier answers have left for later cases: ids, by a name. */
export type Kept = Map<string, string>;

/** Who calls: a user that both worlds have. */
export type Caller = 'owner' | 'alice' | 'bob' | 'carol' | 'erin';

/** One call that the fake API and the real server must answer alike. */
export interface ContractCase {
  readonly name: string;
  readonly as: Caller;
  readonly method: string;
  readonly request?: Readonly<Record<string, unknown>> | ((kept: Kept) => object);
  /** The code that it is refused with. Undefined: it is answered. */
  readonly refused?: string;
  /** Places that the answer must have, such as 'request.id' or 'devices.0.name'. */
  readonly has?: readonly string[];
  /** Keeps the value of a place under a name. */
  readonly keeps?: Readonly<Record<string, string>>;
}

const ALLOW = {
  name: 'production',
  description: 'Two hours, with a ticket.',
  spec: {
    effect: 'POLICY_EFFECT_ALLOW',
    device: { names: ['web-1'] },
    maxDuration: '7200s',
    defaultDuration: '1800s',
    ticketPattern: 'OPS-[0-9]+',
    breakGlass: true,
  },
};

const ask = { device: 'web-1', account: 'carol', duration: '1800s', reason: 'deploy', ticket: 'OPS-1' };

/** In this order: later cases use what earlier ones have made. */
export const CONTRACT_CASES: readonly ContractCase[] = [
  // Who one is, and the server.
  { name: 'who I am', as: 'carol', method: 'UserService/GetMe', has: ['user.id', 'user.name', 'role'] },
  { name: 'the server', as: 'carol', method: 'ServerService/GetServerInfo', has: ['version', 'caFingerprint'] },
  { name: 'the overview', as: 'erin', method: 'ServerService/GetOverview', has: ['days.29.day'] },
  { name: 'the overview for a user', as: 'carol', method: 'ServerService/GetOverview', refused: 'METHOD_NOT_ALLOWED' },

  // Users.
  {
    name: 'users',
    as: 'erin',
    method: 'UserService/ListUsers',
    request: { orderBy: 'name desc', pageSize: 2 },
    has: ['users.1.id', 'nextPageToken', 'totalSize'],
  },
  {
    name: 'users in no order',
    as: 'erin',
    method: 'UserService/ListUsers',
    request: { orderBy: 'shoe' },
    refused: 'ORDER_BY_INVALID',
  },
  {
    name: 'a page that is none',
    as: 'erin',
    method: 'UserService/ListUsers',
    request: { pageToken: 'x' },
    refused: 'PAGE_TOKEN_INVALID',
  },
  {
    name: 'a user',
    as: 'erin',
    method: 'UserService/GetUser',
    request: { user: 'carol' },
    has: ['user.id'],
    keeps: { carol: 'user.id' },
  },
  { name: 'nobody', as: 'erin', method: 'UserService/GetUser', request: { user: 'nobody' }, refused: 'USER_NOT_FOUND' },
  {
    name: 'a new user',
    as: 'alice',
    method: 'UserService/CreateUser',
    request: { name: 'gina', role: 'ROLE_USER' },
    has: ['user.id', 'user.displayName', 'user.createTime'],
  },
  {
    name: 'the same name again',
    as: 'alice',
    method: 'UserService/CreateUser',
    request: { name: 'GINA', role: 'ROLE_USER' },
    refused: 'USER_NAME_TAKEN',
  },
  {
    name: 'a name that is none',
    as: 'alice',
    method: 'UserService/CreateUser',
    request: { name: 'a b', role: 'ROLE_USER' },
    refused: 'FIELD_INVALID',
  },
  {
    name: 'a role above',
    as: 'alice',
    method: 'UserService/CreateUser',
    request: { name: 'hugo', role: 'ROLE_OWNER' },
    refused: 'ROLE_TOO_HIGH',
  },
  {
    name: 'a new user by a viewer',
    as: 'erin',
    method: 'UserService/CreateUser',
    request: { name: 'ida', role: 'ROLE_USER' },
    refused: 'METHOD_NOT_ALLOWED',
  },
  {
    name: 'groups and mail',
    as: 'alice',
    method: 'UserService/UpdateUser',
    request: { user: 'gina', groups: { names: ['on-call'] }, email: 'gina@example.com' },
    has: ['user.groups.0', 'user.email'],
  },
  {
    name: 'a change of who is above',
    as: 'alice',
    method: 'UserService/UpdateUser',
    request: { user: 'owner', displayName: 'x' },
    refused: 'ROLE_TOO_HIGH',
  },
  {
    name: 'the last owner',
    as: 'owner',
    method: 'UserService/UpdateUser',
    request: { user: 'owner', role: 'ROLE_ADMIN' },
    refused: 'LAST_OWNER',
  },

  // Signing in.
  {
    name: 'a one-time password',
    as: 'alice',
    method: 'SignInService/ResetPassword',
    request: { user: 'gina' },
    has: ['password'],
  },
  { name: 'my sign-ins', as: 'carol', method: 'SignInService/ListSignIns', has: ['signIns.0.id', 'signIns.0.current'] },
  {
    name: 'a sign-in that is none',
    as: 'carol',
    method: 'SignInService/EndSignIn',
    request: { signInId: 'sin-00000000000000000000' },
    refused: 'SIGN_IN_NOT_FOUND',
  },
  {
    name: 'a wrong password',
    as: 'carol',
    method: 'SignInService/ChangePassword',
    request: { currentPassword: 'wrong wrong wrong', newPassword: 'another long enough one' },
    refused: 'PASSWORD_WRONG',
  },
  {
    name: 'a short password',
    as: 'carol',
    method: 'SignInService/ChangePassword',
    request: { currentPassword: 'x', newPassword: 'short' },
    refused: 'FIELD_INVALID',
  },
  { name: 'a secret for codes', as: 'carol', method: 'SignInService/BeginTotp', has: ['uri', 'secret'] },
  {
    name: 'a code that is none',
    as: 'carol',
    method: 'SignInService/ConfirmTotp',
    request: { code: '12345' },
    refused: 'FIELD_INVALID',
  },

  // Devices and join tokens.
  {
    name: 'devices',
    as: 'erin',
    method: 'DeviceService/ListDevices',
    request: { filter: { online: true } },
    has: ['devices.0.id', 'devices.0.facts.hostname', 'totalSize'],
  },
  {
    name: 'a device',
    as: 'erin',
    method: 'DeviceService/GetDevice',
    request: { device: 'web-1' },
    has: ['device.accounts.0.name', 'device.online'],
  },
  {
    name: 'no device',
    as: 'erin',
    method: 'DeviceService/GetDevice',
    request: { device: 'web-9' },
    refused: 'DEVICE_NOT_FOUND',
  },
  {
    name: 'labels',
    as: 'alice',
    method: 'DeviceService/UpdateDevice',
    request: { device: 'web-1', labels: { env: 'production' } },
    has: ['device.labels.env'],
  },
  {
    name: 'labels by a viewer',
    as: 'erin',
    method: 'DeviceService/UpdateDevice',
    request: { device: 'web-1', labels: {} },
    refused: 'METHOD_NOT_ALLOWED',
  },
  {
    name: 'no conflict to resolve',
    as: 'alice',
    method: 'DeviceService/ResolveIdentityConflict',
    request: { device: 'web-1' },
    refused: 'DEVICE_NOT_IN_CONFLICT',
  },
  {
    name: 'a join token',
    as: 'alice',
    method: 'DeviceService/CreateJoinToken',
    request: { uses: 3, ttl: '600s' },
    has: ['secret', 'joinToken.usesLeft'],
    keeps: { joinToken: 'joinToken.id' },
  },
  {
    name: 'too many uses',
    as: 'alice',
    method: 'DeviceService/CreateJoinToken',
    request: { uses: 10_001 },
    refused: 'FIELD_INVALID',
  },
  { name: 'join tokens', as: 'alice', method: 'DeviceService/ListJoinTokens', has: ['joinTokens.0.id'] },
  {
    name: 'revoking a join token',
    as: 'alice',
    method: 'DeviceService/RevokeJoinToken',
    request: (kept) => ({ joinTokenId: kept.get('joinToken') }),
    has: ['joinToken.revokeTime'],
  },
  {
    name: 'revoking none',
    as: 'alice',
    method: 'DeviceService/RevokeJoinToken',
    request: { joinTokenId: 'jtk-00000000000000000000' },
    refused: 'JOIN_TOKEN_NOT_FOUND',
  },

  // Accounts and tokens of people.
  {
    name: 'linking',
    as: 'alice',
    method: 'UserService/LinkAccount',
    request: { user: 'carol', device: 'web-1', account: 'carol' },
    has: ['user.accounts.0.deviceName'],
  },
  {
    name: 'linking none',
    as: 'alice',
    method: 'UserService/LinkAccount',
    request: { user: 'carol', device: 'web-1', account: 'nobody' },
    refused: 'ACCOUNT_NOT_FOUND',
  },
  {
    name: 'an API token',
    as: 'carol',
    method: 'UserService/CreateApiToken',
    request: { label: 'script', ttl: '3600s' },
    has: ['secret', 'apiToken.id'],
    keeps: { apiToken: 'apiToken.id' },
  },
  {
    name: 'an API token for another',
    as: 'carol',
    method: 'UserService/CreateApiToken',
    request: { label: 'x', user: 'erin' },
    refused: 'ROLE_TOO_HIGH',
  },
  { name: 'my API tokens', as: 'carol', method: 'UserService/ListApiTokens', has: ['apiTokens.0.label'] },
  {
    name: 'revoking it',
    as: 'carol',
    method: 'UserService/RevokeApiToken',
    request: (kept) => ({ apiTokenId: kept.get('apiToken') }),
    has: ['apiToken.revokeTime'],
  },
  {
    name: 'revoking none of mine',
    as: 'carol',
    method: 'UserService/RevokeApiToken',
    request: { apiTokenId: 'tok-00000000000000000000' },
    refused: 'API_TOKEN_NOT_FOUND',
  },

  // Policies.
  {
    name: 'a dry run',
    as: 'alice',
    method: 'PolicyService/ApplyPolicies',
    request: { policies: [ALLOW], prune: true, dryRun: true },
    has: ['changes.0.action', 'changes.0.after'],
  },
  {
    name: 'applying',
    as: 'alice',
    method: 'PolicyService/ApplyPolicies',
    request: { policies: [ALLOW], prune: true },
    has: ['changes.0.name'],
  },
  {
    name: 'applying by a viewer',
    as: 'erin',
    method: 'PolicyService/ApplyPolicies',
    request: { policies: [] },
    refused: 'METHOD_NOT_ALLOWED',
  },
  {
    name: 'a policy without a name',
    as: 'alice',
    method: 'PolicyService/ApplyPolicies',
    request: { policies: [{ ...ALLOW, name: 'a b' }] },
    refused: 'FIELD_INVALID',
  },
  {
    name: 'a policy that was changed since',
    as: 'alice',
    method: 'PolicyService/ApplyPolicies',
    request: { policies: [{ ...ALLOW, baseVersion: '7' }], dryRun: true },
    refused: 'POLICY_CHANGED',
  },
  {
    name: 'policies',
    as: 'erin',
    method: 'PolicyService/ListPolicies',
    has: ['policies.0.name', 'policies.0.version', 'policies.0.position', 'text'],
  },
  {
    name: 'a policy',
    as: 'erin',
    method: 'PolicyService/GetPolicy',
    request: { policy: 'production' },
    has: ['policy.spec.maxDuration', 'versions.0.version'],
  },
  {
    name: 'no policy',
    as: 'erin',
    method: 'PolicyService/GetPolicy',
    request: { policy: 'none' },
    refused: 'POLICY_NOT_FOUND',
  },
  {
    name: 'why',
    as: 'erin',
    method: 'PolicyService/ExplainAccess',
    request: { user: 'carol', device: 'web-1', duration: '600s' },
    has: ['answer.allowed', 'answer.checks.0.policyName', 'answer.maxDuration'],
  },
  {
    name: 'why for nobody',
    as: 'erin',
    method: 'PolicyService/ExplainAccess',
    request: { user: 'nobody', device: 'web-1' },
    refused: 'USER_NOT_FOUND',
  },

  // Asking, deciding, starting, ending.
  {
    name: 'what I can ask for',
    as: 'carol',
    method: 'AccessService/ListMyTargets',
    has: ['targets.0.deviceName', 'targets.0.account.name', 'targets.0.answer.allowed'],
  },
  {
    name: 'asking without a ticket',
    as: 'carol',
    method: 'AccessService/CreateMyRequest',
    request: { ...ask, ticket: '' },
    refused: 'TICKET_INVALID',
  },
  {
    name: 'asking for too long',
    as: 'carol',
    method: 'AccessService/CreateMyRequest',
    request: { ...ask, duration: '10800s' },
    refused: 'DURATION_TOO_LONG',
  },
  {
    name: 'asking without a reason',
    as: 'carol',
    method: 'AccessService/CreateMyRequest',
    request: { ...ask, reason: '' },
    refused: 'FIELD_INVALID',
  },
  {
    name: 'asking for no device',
    as: 'carol',
    method: 'AccessService/CreateMyRequest',
    request: { ...ask, device: 'web-9' },
    refused: 'DEVICE_NOT_FOUND',
  },
  {
    name: 'asking',
    as: 'carol',
    method: 'AccessService/CreateMyRequest',
    request: ask,
    has: ['request.id', 'request.policyName', 'request.waitsFor'],
    keeps: { request: 'request.id' },
  },
  {
    name: 'asking twice',
    as: 'carol',
    method: 'AccessService/CreateMyRequest',
    request: ask,
    refused: 'REQUEST_ALREADY_OPEN',
  },
  {
    name: 'starting too early',
    as: 'carol',
    method: 'AccessService/StartMySession',
    request: (kept) => ({ requestId: kept.get('request') }),
    refused: 'REQUEST_NOT_APPROVED',
  },
  {
    name: 'what waits for me',
    as: 'bob',
    method: 'RequestService/ListAccessRequests',
    request: { filter: { canDecide: true } },
    has: ['requests.0.id', 'requests.0.canDecide'],
  },
  {
    name: 'a request',
    as: 'erin',
    method: 'RequestService/GetAccessRequest',
    request: (kept) => ({ requestId: kept.get('request') }),
    has: ['request.reason', 'request.ticket', 'request.decideByTime'],
  },
  {
    name: 'no request',
    as: 'erin',
    method: 'RequestService/GetAccessRequest',
    request: { requestId: 'req-00000000000000000000' },
    refused: 'REQUEST_NOT_FOUND',
  },
  {
    name: 'approving by a viewer',
    as: 'erin',
    method: 'RequestService/ApproveAccessRequest',
    request: (kept) => ({ requestId: kept.get('request') }),
    refused: 'METHOD_NOT_ALLOWED',
  },
  {
    name: 'approving for longer',
    as: 'bob',
    method: 'RequestService/ApproveAccessRequest',
    request: (kept) => ({ requestId: kept.get('request'), duration: '3600s' }),
    refused: 'DURATION_TOO_LONG',
  },
  {
    name: 'denying without a reason',
    as: 'bob',
    method: 'RequestService/DenyAccessRequest',
    request: (kept) => ({ requestId: kept.get('request') }),
    refused: 'FIELD_INVALID',
  },
  {
    name: 'nothing to review',
    as: 'bob',
    method: 'RequestService/ReviewAccessRequest',
    request: (kept) => ({ requestId: kept.get('request'), accepted: true, reason: 'fine' }),
    refused: 'REVIEW_NOT_WAITING',
  },
  {
    name: 'approving',
    as: 'bob',
    method: 'RequestService/ApproveAccessRequest',
    request: (kept) => ({ requestId: kept.get('request'), duration: '900s', reason: 'go' }),
    has: ['request.decisions.0.decidedBy', 'request.startByTime'],
  },
  {
    name: 'approving again',
    as: 'bob',
    method: 'RequestService/ApproveAccessRequest',
    request: (kept) => ({ requestId: kept.get('request') }),
    refused: 'REQUEST_NOT_PENDING',
  },
  {
    name: 'starting',
    as: 'carol',
    method: 'AccessService/StartMySession',
    request: (kept) => ({ requestId: kept.get('request') }),
    has: ['session.id', 'session.expireTime'],
    keeps: { session: 'session.id' },
  },
  {
    name: 'starting again',
    as: 'carol',
    method: 'AccessService/StartMySession',
    request: (kept) => ({ requestId: kept.get('request') }),
    refused: 'REQUEST_NOT_APPROVED',
  },
  {
    name: 'cancelling what has started',
    as: 'carol',
    method: 'AccessService/CancelMyRequest',
    request: (kept) => ({ requestId: kept.get('request') }),
    refused: 'REQUEST_NOT_OPEN',
  },
  {
    name: 'sessions',
    as: 'erin',
    method: 'SessionService/ListSessions',
    has: ['sessions.0.id', 'sessions.0.account.name', 'totalSize'],
  },
  {
    name: 'a session',
    as: 'erin',
    method: 'SessionService/GetSession',
    request: (kept) => ({ sessionId: kept.get('session') }),
    has: ['session.policyName', 'session.requestId'],
  },
  {
    name: 'no session',
    as: 'erin',
    method: 'SessionService/GetSession',
    request: { sessionId: 'ses-00000000000000000000' },
    refused: 'SESSION_NOT_FOUND',
  },
  {
    name: 'revoking nothing',
    as: 'bob',
    method: 'SessionService/RevokeSessions',
    request: { reason: 'x' },
    refused: 'FIELD_INVALID',
  },
  {
    name: 'revoking without a reason',
    as: 'bob',
    method: 'SessionService/RevokeSessions',
    request: { everything: true },
    refused: 'FIELD_INVALID',
  },
  {
    name: 'ending mine',
    as: 'carol',
    method: 'AccessService/EndMySession',
    request: (kept) => ({ sessionId: kept.get('session') }),
    has: ['session.state'],
  },
  {
    name: 'ending none of mine',
    as: 'carol',
    method: 'AccessService/EndMySession',
    request: { sessionId: 'ses-00000000000000000000' },
    refused: 'SESSION_NOT_FOUND',
  },

  // Channels.
  {
    name: 'a channel',
    as: 'alice',
    method: 'NotificationService/PutChannel',
    request: { channel: { name: 'log', kind: 'CHANNEL_KIND_FILE', target: 'audit.jsonl' } },
    has: ['channel.id', 'channel.name'],
  },
  { name: 'channels', as: 'erin', method: 'NotificationService/ListChannels', has: ['channels.0.target'] },
  {
    name: 'a channel by a viewer',
    as: 'erin',
    method: 'NotificationService/PutChannel',
    request: { channel: { name: 'x' } },
    refused: 'METHOD_NOT_ALLOWED',
  },
  {
    name: 'testing none',
    as: 'alice',
    method: 'NotificationService/TestChannel',
    request: { channel: 'none' },
    refused: 'CHANNEL_NOT_FOUND',
  },
  { name: 'deliveries', as: 'erin', method: 'NotificationService/ListDeliveries' },
  { name: 'retrying', as: 'alice', method: 'NotificationService/RetryDeliveries', request: { channel: 'log' } },
  { name: 'removing a channel', as: 'alice', method: 'NotificationService/DeleteChannel', request: { channel: 'log' } },

  // The audit log.
  {
    name: 'audit events',
    as: 'erin',
    method: 'AuditService/ListAuditEvents',
    request: { typePrefix: 'user.', pageSize: 1 },
    has: ['events.0.type', 'events.0.record', 'nextPageToken'],
  },
  { name: 'the checkpoint', as: 'erin', method: 'AuditService/GetCheckpoint', has: ['checkpoint.note', 'auditKey'] },
  {
    name: 'audit events for a user',
    as: 'carol',
    method: 'AuditService/ListAuditEvents',
    refused: 'METHOD_NOT_ALLOWED',
  },

  // Removing.
  {
    name: 'removing a device',
    as: 'alice',
    method: 'DeviceService/RemoveDevice',
    request: { device: 'web-1' },
    has: ['device.removedTime'],
  },
];
