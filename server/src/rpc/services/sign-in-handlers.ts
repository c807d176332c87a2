import {
  BeginTotpResponse,
  ChangePasswordResponse,
  ConfirmTotpResponse,
  EndSignInResponse,
  ListSignInsResponse,
  RemoveTotpResponse,
  ResetPasswordResponse,
  SignIn,
  type BeginTotpRequest,
  type ChangePasswordRequest,
  type ConfirmTotpRequest,
  type EndSignInRequest,
  type ListSignInsRequest,
  type RemoveTotpRequest,
  type ResetPasswordRequest,
} from '@curfew/proto';
import type { SignInParts } from '../../sign-in/sign-in-parts.js';
import type { SignInRecord } from '../../sign-in/sign-ins.js';
import type { Identity } from '../authenticate.js';
import { callerOf } from '../caller-of.js';
import { dateFromMs } from '../proto-values.js';

/** How somebody signs in to the console: see SignInService. */
export function signInHandlers({ signIns, passwords, codes }: SignInParts) {
  return {
    listSignIns: async (request: ListSignInsRequest, identity: Identity) => {
      const caller = callerOf(identity);
      const found = await signIns.list(caller, request.user);
      return ListSignInsResponse.fromPartial({ signIns: found.map((one) => signInToProto(one, caller.signInId)) });
    },
    endSignIn: async (request: EndSignInRequest, identity: Identity) => {
      await signIns.end(callerOf(identity), request.signInId);
      return EndSignInResponse.fromPartial({});
    },
    changePassword: async (request: ChangePasswordRequest, identity: Identity) => {
      await passwords.change(callerOf(identity), request.currentPassword, request.newPassword);
      return ChangePasswordResponse.fromPartial({});
    },
    resetPassword: async (request: ResetPasswordRequest, identity: Identity) => {
      const { password, expiresAtMs } = await passwords.reset(callerOf(identity), request.user);
      return ResetPasswordResponse.fromPartial({
        password,
        ...(expiresAtMs === undefined ? {} : { expireTime: dateFromMs(expiresAtMs) }),
      });
    },
    beginTotp: async (_: BeginTotpRequest, identity: Identity) =>
      BeginTotpResponse.fromPartial(await codes.begin(callerOf(identity))),
    confirmTotp: async (request: ConfirmTotpRequest, identity: Identity) =>
      ConfirmTotpResponse.fromPartial({ recoveryCodes: await codes.confirm(callerOf(identity), request.code) }),
    removeTotp: async (request: RemoveTotpRequest, identity: Identity) => {
      await codes.remove(callerOf(identity), request.user, request.password);
      return RemoveTotpResponse.fromPartial({});
    },
  };
}

function signInToProto(record: SignInRecord, current: string | undefined): SignIn {
  return SignIn.fromPartial({
    id: record.id,
    userName: record.user_name,
    method: record.method,
    address: record.address,
    userAgent: record.user_agent,
    createTime: dateFromMs(record.created_at_ms),
    lastUsedTime: dateFromMs(record.last_used_at_ms),
    expireTime: dateFromMs(record.expires_at_ms),
    freshTime: dateFromMs(record.fresh_at_ms),
    current: record.id === current,
  });
}
