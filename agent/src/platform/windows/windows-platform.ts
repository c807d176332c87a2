import { createLogger, CurfewError } from '@curfew/shared';
import path from 'node:path';
import { noSelftest } from '../no-selftest.js';
import type { Platform, PlatformParts } from '../platform.js';
import { LocalGroups } from './local-groups.js';
import { MembershipMarks } from './membership-marks.js';
import { eventLog } from './native/event-log.js';
import { firmwareTables } from './native/firmware.js';
import { SYSTEM_FOLDER } from './native/library.js';
import { netAccounts, netGroups } from './native/net-api.js';
import { PipeDoor } from './native/pipe-door.js';
import { systemRegistry } from './native/registry-api.js';
import { WindowsService } from './native/service-manager.js';
import { systemTokens } from './native/token-api.js';
import { PowerEnding } from './power-ending.js';
import { systemPrograms } from './system-programs.js';
import { TaskRemover } from './task-remover.js';
import { WindowsAccounts } from './windows-accounts.js';
import { ADMINISTRATORS, type WindowsApi } from './windows-api.js';
import { WindowsHost } from './windows-host.js';
import { WindowsLastingPower } from './windows-lasting-power.js';
import { windowsMachine } from './windows-machine.js';
import { WindowsMessenger } from './windows-messenger.js';

/** Windows itself. */
const system: WindowsApi = {
  groups: netGroups,
  accounts: netAccounts,
  tokens: systemTokens,
  registry: systemRegistry,
};

/** Puts the adapters of a Windows machine together. */
export function windowsPlatform(parts: PlatformParts): Platform {
  const { stateDir, clock, random, mark, program } = parts;
  const api = system;
  const machine = windowsMachine(api.registry, firmwareTables, () => random.bytes(16).toString('hex'));
  const groups = new LocalGroups(api);
  const marks = new MembershipMarks(path.join(stateDir, 'memberships'));
  const accounts = new WindowsAccounts({ api, groups, marks });
  const logger = createLogger('curfew-agent', 'info', eventLog('Curfew'));
  const ending = new PowerEnding({
    tokens: api.tokens,
    clock,
    folder: path.join(stateDir, 'ending'),
    isAdministrator: async (sid) => {
      const group = await groups.bySid(ADMINISTRATORS);
      return group !== undefined && (await groups.members(group)).includes(sid);
    },
    found: (text, fields) => {
      logger.warn(text, fields);
    },
  });
  const remover = new TaskRemover({
    runner: systemPrograms,
    clock,
    schtasks: path.win32.join(SYSTEM_FOLDER, 'schtasks.exe'),
    folder: path.join(stateDir, 'armed'),
    mark,
    program,
  });
  const bootId = (): string => machine.bootId();
  const host = new WindowsHost({ api: api.groups, groups, accounts, marks, remover, ending, bootId });
  return {
    host,
    accounts,
    power: new WindowsLastingPower({ api, groups, marks }),
    machine,
    door: new PipeDoor(clock),
    messenger: new WindowsMessenger(api.tokens),
    service: new WindowsService(clock),
    selftestMachine: noSelftest('it tries sudo, which Windows does not have'),
    processes: undefined,
    removeAlone: async (sessionId) => {
      const right = (await host.list()).find((found) => found.sessionId === sessionId);
      if (right !== undefined) await host.remove(right);
      await ending.untilOver();
      await remover.disarm(sessionId);
      if ((await host.list()).some((found) => found.sessionId === sessionId))
        throw new CurfewError('GRANT_NOT_EFFECTIVE', { detail: 'the membership is still there' });
    },
  };
}
