import type { CallMethods, WatchMethods } from '../gen/api.js';

/** What a user may do on the server. Each contains the ones before it. */
export const ROLES = ['user', 'viewer', 'approver', 'admin', 'owner'] as const;
export type Role = (typeof ROLES)[number];

export type Method = keyof CallMethods | keyof WatchMethods;

/** The least role that may call each method. The server decides; a test holds this list against its own. */
export const METHOD_ROLES: Readonly<Record<Method, Role>> = {
  'AccessService/ListMyTargets': 'user',
  'AccessService/CreateMyRequest': 'user',
  'AccessService/CancelMyRequest': 'user',
  'AccessService/StartMySession': 'user',
  'AccessService/EndMySession': 'user',
  'AccessService/WatchMyAccess': 'user',
  'AuditService/ListAuditEvents': 'viewer',
  'AuditService/ExportAuditLog': 'viewer',
  'AuditService/GetCheckpoint': 'viewer',
  'DeviceService/ListDevices': 'viewer',
  'DeviceService/GetDevice': 'viewer',
  'DeviceService/WatchDevices': 'viewer',
  'DeviceService/RemoveDevice': 'admin',
  'DeviceService/UpdateDevice': 'admin',
  'DeviceService/ResolveIdentityConflict': 'admin',
  'DeviceService/CreateJoinToken': 'admin',
  'DeviceService/ListJoinTokens': 'admin',
  'DeviceService/RevokeJoinToken': 'admin',
  'NotificationService/ListChannels': 'viewer',
  'NotificationService/PutChannel': 'admin',
  'NotificationService/DeleteChannel': 'admin',
  'NotificationService/TestChannel': 'admin',
  'NotificationService/ListDeliveries': 'viewer',
  'NotificationService/RetryDeliveries': 'admin',
  'PolicyService/ListPolicies': 'viewer',
  'PolicyService/GetPolicy': 'viewer',
  'PolicyService/ApplyPolicies': 'admin',
  'PolicyService/ExplainAccess': 'viewer',
  'RequestService/ListAccessRequests': 'viewer',
  'RequestService/GetAccessRequest': 'viewer',
  'RequestService/WatchAccessRequests': 'viewer',
  'RequestService/ApproveAccessRequest': 'approver',
  'RequestService/DenyAccessRequest': 'approver',
  'RequestService/ReviewAccessRequest': 'approver',
  'ServerService/GetServerInfo': 'user',
  'ServerService/GetOverview': 'viewer',
  'ServerService/RotateLeaseKeys': 'owner',
  'SessionService/ListSessions': 'viewer',
  'SessionService/GetSession': 'viewer',
  'SessionService/WatchSessions': 'viewer',
  'SessionService/GrantSession': 'admin',
  'SessionService/ExtendSession': 'approver',
  'SessionService/RevokeSessions': 'approver',
  'SignInService/ListSignIns': 'user',
  'SignInService/EndSignIn': 'user',
  'SignInService/ChangePassword': 'user',
  'SignInService/ResetPassword': 'admin',
  'SignInService/BeginTotp': 'user',
  'SignInService/ConfirmTotp': 'user',
  'SignInService/RemoveTotp': 'user',
  'UserService/GetMe': 'user',
  'UserService/ListUsers': 'viewer',
  'UserService/GetUser': 'viewer',
  'UserService/CreateUser': 'admin',
  'UserService/UpdateUser': 'admin',
  'UserService/LinkAccount': 'admin',
  'UserService/UnlinkAccount': 'admin',
  'UserService/CreateApiToken': 'user',
  'UserService/ListApiTokens': 'user',
  'UserService/RevokeApiToken': 'user',
  'ResourceService/ListConnectorKinds': 'viewer',
  'ResourceService/ListConnectors': 'viewer',
  'ResourceService/PutConnector': 'admin',
  'ResourceService/DeleteConnector': 'admin',
  'ResourceService/ListResources': 'viewer',
  'ResourceService/PutResource': 'admin',
  'ResourceService/DeleteResource': 'admin',
  'ResourceService/TryResource': 'admin',
  'ResourceService/CompareResource': 'admin',
};

/** Whether the role contains the other. */
export const roleIsAtLeast = (role: Role, least: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(least);

/** Why somebody of the role cannot call the method, in a sentence; undefined when they can. */
export function roleRefusal(role: Role, method: Method): string | undefined {
  const least = METHOD_ROLES[method];
  return roleIsAtLeast(role, least) ? undefined : `This takes the role ${least}; yours is ${role}.`;
}
