import { AUDIT_KEY, checkpointNote } from './audit-methods.js';
import { deviceRow } from './device-methods.js';
import type { WatchHandlers } from './handlers.js';
import { watchRecording } from './recording-methods.js';
import { requestFits, requestFor } from './request-methods.js';
import { sessionFits, sessionFor } from './session-methods.js';

const EXPORT_BATCH = 500;

/** The methods that go on answering. */
export const watchMethods: WatchHandlers = {
  'SessionService/WatchSessions': (world, _caller, { filter, changesOnly }, send) => {
    const sent = new Set<string>();
    if (changesOnly !== true)
      for (const session of world.sessions.values())
        if (sessionFits(world, session, filter)) {
          sent.add(session.id ?? '');
          send({ session: sessionFor(world, session) });
        }
    send({ synced: true });
    return world.listen((kind, id) => {
      const session = kind === 'session' ? world.sessions.get(id) : undefined;
      if (session === undefined) return;
      const fits = sessionFits(world, session, filter);
      // One that ends, or no longer fits, is sent once more.
      if (fits || changesOnly === true || sent.has(id)) send({ session: sessionFor(world, session) });
      if (fits) sent.add(id);
      else sent.delete(id);
    });
  },
  'RequestService/WatchAccessRequests': (world, caller, { filter }, send) => {
    const sent = new Set<string>();
    for (const request of [...world.requests.values()].reverse())
      if (requestFits(caller, request, filter)) {
        sent.add(request.id ?? '');
        send({ request: requestFor(caller, request) });
      }
    send({ synced: true });
    return world.listen((kind, id) => {
      const request = kind === 'request' ? world.requests.get(id) : undefined;
      if (request === undefined) return;
      const fits = requestFits(caller, request, filter);
      if (fits || sent.has(id)) send({ request: requestFor(caller, request) });
      if (fits) sent.add(id);
      else sent.delete(id);
    });
  },
  'DeviceService/WatchDevices': (world, _caller, { changesOnly }, send) => {
    if (changesOnly !== true)
      for (const device of world.devices.values())
        if (device.state !== 'DEVICE_STATE_REMOVED') send({ device: deviceRow(world, device) });
    send({ synced: true });
    return world.listen((kind, id) => {
      const deviceId = kind === 'session' ? world.sessions.get(id)?.deviceId : kind === 'device' ? id : undefined;
      const device = world.devices.get(deviceId ?? '');
      if (device !== undefined) send({ device: deviceRow(world, device) });
    });
  },
  'AccessService/WatchMyAccess': (world, caller, _request, send) => {
    const mine = { userId: caller.user.id };
    for (const request of [...world.requests.values()].reverse())
      if (request.userId === mine.userId) send({ request: requestFor(caller, request) });
    for (const session of [...world.sessions.values()].reverse())
      if (session.userId === mine.userId) send({ session: sessionFor(world, session) });
    send({ synced: true });
    return world.listen((kind, id) => {
      const request = kind === 'request' ? world.requests.get(id) : undefined;
      if (request !== undefined && request.userId === mine.userId) send({ request: requestFor(caller, request) });
      const session = kind === 'session' ? world.sessions.get(id) : undefined;
      if (session !== undefined && session.userId === mine.userId) send({ session: sessionFor(world, session) });
    });
  },
  'RecordingService/WatchRecording': watchRecording,
  'AuditService/ExportAuditLog': (world, _caller, _request, send) => {
    for (let at = 0; at < world.audit.length; at += EXPORT_BATCH)
      send({ events: world.audit.slice(at, at + EXPORT_BATCH) });
    send({ checkpoint: { note: checkpointNote(world) }, auditKey: AUDIT_KEY });
    return undefined;
  },
};
