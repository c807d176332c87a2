import {
  CreateJoinTokenResponse,
  CreateUninstallCodeResponse,
  DeviceState,
  EnrollResponse,
  GetDeviceResponse,
  ListDevicesResponse,
  ListJoinTokensResponse,
  RemoveDeviceResponse,
  RenewResponse,
  ResolveIdentityConflictResponse,
  RevokeJoinTokenResponse,
  UpdateDeviceResponse,
  WatchDevicesResponse,
  type CreateJoinTokenRequest,
  type CreateUninstallCodeRequest,
  type EnrollRequest,
  type GetDeviceRequest,
  type ListDevicesRequest,
  type RemoveDeviceRequest,
  type RenewRequest,
  type ResolveIdentityConflictRequest,
  type RevokeJoinTokenRequest,
  type UpdateDeviceRequest,
  type WatchDevicesRequest,
} from '@curfew/proto';
import { CurfewError, hasUnsafeText, HOUR, signUninstallCode, type Clock } from '@curfew/shared';
import type { AuditLog } from '../../audit/audit-log.js';
import type { DeviceRecord, Devices } from '../../devices/devices.js';
import type { JoinTokens } from '../../devices/join-tokens.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { LinkHub } from '../../link/link-hub.js';
import { factsFromProto } from '../../link/link-service.js';
import { provenKeyOfCsr, type CertificateAuthority } from '../../pki/certificate-authority.js';
import type { ServerKeys } from '../../pki/server-keys.js';
import type { Identity } from '../authenticate.js';
import { callerOf } from '../caller-of.js';
import { dateFromMs, msFromDuration } from '../proto-values.js';
import { deviceToProto, joinTokenToProto } from '../records-to-proto.js';
import type { AnswerStream } from '../service-host.js';
import { watchChanges } from '../watch-changes.js';

export interface DeviceHandlerParts {
  readonly ledger: Ledger;
  readonly devices: Devices;
  readonly joinTokens: JoinTokens;
  readonly hub: LinkHub;
  readonly ca: CertificateAuthority;
  readonly keys: ServerKeys;
  readonly auditLog: AuditLog;
  readonly certificateLifeMs: number;
  readonly clock: Pick<Clock, 'now'>;
}

export function deviceHandlers(parts: DeviceHandlerParts) {
  const { devices, joinTokens, hub } = parts;
  const toProto = (device: DeviceRecord) => deviceToProto(device, hub.isLinked);
  const everything = {
    states: [],
    text: '',
    only: undefined,
    except: undefined,
    orderBy: 'name',
    pageSize: 1000,
  } as const;
  return {
    listDevices: async (request: ListDevicesRequest) => {
      const online = request.filter?.online;
      const linked = hub.linkedDevices;
      const page = await devices.list({
        states: (request.filter?.states ?? []).map((state) => DeviceState[state].toLowerCase()),
        text: request.filter?.text ?? '',
        only: online === true ? linked : undefined,
        except: online === false ? linked : undefined,
        ...request,
      });
      return ListDevicesResponse.fromPartial({
        devices: page.devices.map(toProto),
        nextPageToken: page.nextPageToken,
        totalSize: page.total,
      });
    },
    getDevice: async (request: GetDeviceRequest) => {
      const { device, accounts } = await devices.get(request.device);
      return GetDeviceResponse.fromPartial({ device: deviceToProto(device, hub.isLinked, accounts) });
    },
    watchDevices: (request: WatchDevicesRequest, _: Identity, stream: AnswerStream<WatchDevicesResponse>) =>
      watchChanges(parts.ledger, ['device', 'session'], stream.signal, {
        first: async () => {
          for (let token = request.changesOnly ? undefined : ''; token !== undefined;) {
            const page = await devices.list({ ...everything, pageToken: token });
            for (const device of page.devices)
              await stream.send(WatchDevicesResponse.fromPartial({ device: toProto(device) }));
            token = page.nextPageToken === '' ? undefined : page.nextPageToken;
          }
          await stream.send(WatchDevicesResponse.fromPartial({ synced: true }));
        },
        changed: async (ids) => {
          for (const id of await devices.touchedBy(ids))
            await stream.send(WatchDevicesResponse.fromPartial({ device: toProto((await devices.get(id)).device) }));
        },
      }),
    updateDevice: async (request: UpdateDeviceRequest, identity: Identity) => {
      const device = await devices.setLabels(callerOf(identity), request.device, request.labels);
      return UpdateDeviceResponse.fromPartial({ device: toProto(device) });
    },
    removeDevice: async (request: RemoveDeviceRequest, identity: Identity) =>
      RemoveDeviceResponse.fromPartial({ device: toProto(await devices.remove(callerOf(identity), request.device)) }),
    resolveIdentityConflict: async (request: ResolveIdentityConflictRequest, identity: Identity) => {
      const device = await devices.resolveConflict(callerOf(identity), request.device);
      return ResolveIdentityConflictResponse.fromPartial({ device: toProto(device) });
    },
    createJoinToken: async (request: CreateJoinTokenRequest, identity: Identity) => {
      const ttlMs = request.ttl === undefined ? HOUR : msFromDuration(request.ttl);
      const { record, secret } = await joinTokens.create(callerOf(identity), {
        uses: request.uses === 0 ? 1 : request.uses,
        ttlMs,
        device: request.device,
      });
      return CreateJoinTokenResponse.fromPartial({ joinToken: joinTokenToProto(record), secret });
    },
    createUninstallCode: (request: CreateUninstallCodeRequest, identity: Identity) =>
      createUninstallCode(parts, request, identity),
    listJoinTokens: async () =>
      ListJoinTokensResponse.fromPartial({ joinTokens: (await joinTokens.list()).map(joinTokenToProto) }),
    revokeJoinToken: async (request: RevokeJoinTokenRequest, identity: Identity) =>
      RevokeJoinTokenResponse.fromPartial({
        joinToken: joinTokenToProto(await joinTokens.revoke(callerOf(identity), request.joinTokenId)),
      }),
  };
}

async function createUninstallCode(
  { devices, keys, clock }: DeviceHandlerParts,
  request: CreateUninstallCodeRequest,
  identity: Identity,
): Promise<CreateUninstallCodeResponse> {
  const untilMs = clock.now() + (request.ttl === undefined ? HOUR : msFromDuration(request.ttl));
  const { key_hash: deviceKeyHash } = await devices.allowUninstall(callerOf(identity), request.device, untilMs);
  const code = signUninstallCode({ deviceKeyHash, untilMs }, keys.lease.signing);
  return CreateUninstallCodeResponse.fromPartial({ code, expireTime: dateFromMs(untilMs) });
}

export function enrollmentHandlers(parts: DeviceHandlerParts) {
  return {
    enroll: async (request: EnrollRequest) => {
      const key = await provenKeyOfCsr(request.csr);
      const { facts } = request;
      if (facts === undefined) throw new CurfewError('FIELD_INVALID', { field: 'facts', problem: 'is required' });
      if (hasUnsafeText(facts.hostname))
        throw new CurfewError('FIELD_INVALID', {
          field: 'facts.hostname',
          problem: 'must not hold control or invisible characters',
        });
      const device = await parts.devices.enroll({
        joinToken: request.joinToken,
        keyHash: key.keyHash,
        hostname: facts.hostname,
        facts: factsFromProto(facts),
      });
      const certificate = await parts.ca.issueDevice(device.id, key.publicKey, parts.certificateLifeMs);
      return EnrollResponse.fromPartial({
        deviceId: device.id,
        deviceName: device.name,
        certificate: certificate.pem,
        certificateExpireTime: dateFromMs(certificate.notAfter),
        leaseKeySet: JSON.stringify(parts.keys.lease.set),
        auditKey: parts.auditLog.verificationKey,
      });
    },
    renew: async (request: RenewRequest) => {
      const key = await provenKeyOfCsr(request.csr);
      const device = await parts.devices.byKeyHash(key.keyHash);
      const certificate = await parts.ca.issueDevice(device.id, key.publicKey, parts.certificateLifeMs);
      return RenewResponse.fromPartial({
        certificate: certificate.pem,
        certificateExpireTime: dateFromMs(certificate.notAfter),
      });
    },
  };
}
