import { CreateAccessRequestRequest, StartSessionRequest } from '@curfew/proto';
import type { ScriptedDevice } from '../support/scripted-device.js';

/** Somebody on a device asks for an hour of admin rights. Gives the request's id. */
export function askForSession(device: ScriptedDevice, account: string, reason: string): Promise<string> {
  const wish = { account: device.account(account), duration: { seconds: 3_600n, nanos: 0 }, reason };
  return new Promise((resolve, reject) => {
    device.link.createAccessRequest(CreateAccessRequestRequest.fromPartial(wish), (error, answer) => {
      if (error === null) resolve(answer.request?.id ?? '');
      else reject(error);
    });
  });
}

/** The same person starts what was approved. Gives the session's id. */
export function startSession(device: ScriptedDevice, account: string, requestId: string): Promise<string> {
  const wish = StartSessionRequest.fromPartial({ account: device.account(account), requestId });
  return new Promise((resolve, reject) => {
    device.link.startSession(wish, (error, answer) => {
      if (error === null) resolve(answer.session?.id ?? '');
      else reject(error);
    });
  });
}
