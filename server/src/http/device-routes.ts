import { CurfewError, hasUnsafeText } from '@curfew/shared';
import type { CallLimits } from '../rpc/call-limits.js';
import {
  DEVICE_CODE_LIFE_MS,
  POLL_SECONDS,
  shownCode,
  type DeviceAuthorizations,
} from '../sign-in/device-authorizations.js';
import type { SignIns } from '../sign-in/sign-ins.js';
import type { Caller } from '../users/caller.js';
import { ownPage, required, signedIn, type Routes } from './auth-routes.js';
import { isJson } from './cross-site.js';
import type { HttpExchange } from './http-exchange.js';
import { readFields } from './json-fields.js';

export interface DeviceRouteParts {
  readonly tools: DeviceAuthorizations;
  readonly signIns: SignIns;
  readonly limits: CallLimits;
  readonly identified: (peer: string) => void;
}

const USER_CODE = { max: 20 };

/** How a command line gets its API token: see DeviceAuthorizations. */
export function deviceRoutes(parts: DeviceRouteParts): Routes {
  const { tools, limits } = parts;
  return {
    'POST /auth/device/code': async (exchange) => {
      onlyJson(exchange);
      limits.countAnybody(exchange.peer);
      const { client } = readFields(await exchange.text(), { client: { max: 100 } });
      if (hasUnsafeText(client) || client.trim() === '')
        throw new CurfewError('FIELD_INVALID', { field: 'client', problem: 'must be readable text' });
      const { deviceCode, userCode } = tools.begin(client, exchange.peer.replace(/:\d+$/, ''));
      const verificationUri = `${exchange.ownOrigin}/device`;
      exchange.json(200, {
        deviceCode,
        userCode: shownCode(userCode),
        verificationUri,
        verificationUriComplete: `${verificationUri}?code=${shownCode(userCode)}`,
        expiresIn: DEVICE_CODE_LIFE_MS / 1000,
        interval: POLL_SECONDS,
      });
    },
    'POST /auth/device/token': async (exchange) => {
      onlyJson(exchange);
      const { deviceCode } = readFields(await exchange.text(), { deviceCode: { max: 100 } });
      try {
        const { secret, expiresInSeconds } = await tools.redeem(deviceCode);
        exchange.json(200, { apiToken: secret, expiresIn: expiresInSeconds });
      } catch (error) {
        // Codes that are none are guesses.
        if (error instanceof CurfewError && error.code === 'AUTHORIZATION_EXPIRED') limits.countAnybody(exchange.peer);
        throw error;
      }
    },
    'POST /auth/device/show': async (exchange) => {
      const caller = await person(parts, exchange);
      const { userCode } = readFields(await exchange.text(), { userCode: USER_CODE });
      const { client, address, createdAtMs } = tools.show(caller, userCode);
      exchange.json(200, { client, address, createTime: new Date(createdAtMs).toISOString() });
    },
    'POST /auth/device/approve': async (exchange) => {
      const caller = await person(parts, exchange);
      const { userCode, approve } = readFields(await exchange.text(), {
        userCode: USER_CODE,
        approve: { type: 'boolean' },
      });
      await tools.decide(caller, userCode, approve);
      exchange.empty(204);
    },
  };
}

function onlyJson(exchange: HttpExchange): void {
  if (!isJson(exchange.header('content-type')))
    throw new CurfewError('HTTP_INVALID', { problem: 'the content-type must be application/json', status: 415 });
}

/** Who sits at the console. A tool's API token lets no other tool in. Errors: CROSS_SITE, NOT_SIGNED_IN, PASSWORD_CHANGE_REQUIRED. */
async function person(parts: DeviceRouteParts, exchange: HttpExchange): Promise<Caller> {
  ownPage(exchange, true);
  const caller = required(await signedIn(parts, exchange, false));
  if (caller.mustChangePassword === true) throw new CurfewError('PASSWORD_CHANGE_REQUIRED');
  return caller;
}
