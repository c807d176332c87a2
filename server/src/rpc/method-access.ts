import type { Role } from '../users/role.js';

/** Who may call a method: anybody, an enrolled device, or a signed-in user of at least the role. */
export type MethodAccess = 'open' | 'device' | Role;

const admin = (service: string, methods: Readonly<Record<string, MethodAccess>>): [string, MethodAccess][] =>
  Object.entries(methods).map(([method, access]) => [`/curfew.admin.v1.${service}/${method}`, access]);

/** Every method and who may call it. What is not here is refused; a test holds it against the schema. */
export const METHOD_ACCESS: ReadonlyMap<string, MethodAccess> = new Map<string, MethodAccess>([
  // The join token, and a signature with the device's key, are what these two ask for themselves.
  ['/curfew.agent.v1.EnrollmentService/Enroll', 'open'],
  ['/curfew.agent.v1.EnrollmentService/Renew', 'open'],
  ['/curfew.agent.v1.LinkService/Connect', 'device'],
  ['/curfew.agent.v1.LinkService/CreateAccessRequest', 'device'],
  ['/curfew.agent.v1.LinkService/CancelAccessRequest', 'device'],
  ['/curfew.agent.v1.LinkService/StartSession', 'device'],
  ...admin('SessionService', {
    ListSessions: 'viewer',
    GetSession: 'viewer',
    WatchSessions: 'viewer',
    GrantSession: 'admin',
    ExtendSession: 'approver',
    RevokeSessions: 'approver',
  }),
  ...admin('RequestService', {
    ListAccessRequests: 'viewer',
    GetAccessRequest: 'viewer',
    WatchAccessRequests: 'viewer',
    ApproveAccessRequest: 'approver',
    DenyAccessRequest: 'approver',
    ReviewAccessRequest: 'approver',
  }),
  ...admin('DeviceService', {
    ListDevices: 'viewer',
    GetDevice: 'viewer',
    WatchDevices: 'viewer',
    UpdateDevice: 'admin',
    RemoveDevice: 'admin',
    ResolveIdentityConflict: 'admin',
    CreateJoinToken: 'admin',
    ListJoinTokens: 'admin',
    RevokeJoinToken: 'admin',
  }),
  ...admin('UserService', {
    GetMe: 'user',
    ListUsers: 'viewer',
    GetUser: 'viewer',
    CreateUser: 'admin',
    UpdateUser: 'admin',
    LinkAccount: 'admin',
    UnlinkAccount: 'admin',
    CreateApiToken: 'user',
    ListApiTokens: 'user',
    RevokeApiToken: 'user',
  }),
  ...admin('AccessService', {
    ListMyTargets: 'user',
    CreateMyRequest: 'user',
    CancelMyRequest: 'user',
    StartMySession: 'user',
    EndMySession: 'user',
    WatchMyAccess: 'user',
  }),
  ...admin('PolicyService', {
    ListPolicies: 'viewer',
    GetPolicy: 'viewer',
    ApplyPolicies: 'admin',
    ExplainAccess: 'viewer',
  }),
  ...admin('SignInService', {
    ListSignIns: 'user',
    EndSignIn: 'user',
    ChangePassword: 'user',
    ResetPassword: 'admin',
    BeginTotp: 'user',
    ConfirmTotp: 'user',
    RemoveTotp: 'user',
  }),
  ...admin('NotificationService', {
    ListChannels: 'viewer',
    PutChannel: 'admin',
    DeleteChannel: 'admin',
    TestChannel: 'admin',
    ListDeliveries: 'viewer',
    RetryDeliveries: 'admin',
  }),
  ...admin('ResourceService', {
    ListConnectorKinds: 'viewer',
    ListConnectors: 'viewer',
    PutConnector: 'admin',
    DeleteConnector: 'admin',
    ListResources: 'viewer',
    PutResource: 'admin',
    DeleteResource: 'admin',
    TryResource: 'admin',
    CompareResource: 'admin',
  }),
  ...admin('AuditService', { ListAuditEvents: 'viewer', ExportAuditLog: 'viewer', GetCheckpoint: 'viewer' }),
  ...admin('ServerService', { GetServerInfo: 'user', GetOverview: 'viewer', RotateLeaseKeys: 'owner' }),
]);
