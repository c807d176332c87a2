import { CurfewError } from '@curfew/shared';
import type { Command } from 'commander';
import { say, safeText } from '@curfew/shared/cli';
import { enroll } from '../enroll/enroll.js';
import { joinToken, type JoinTokenFlags } from '../enroll/join-token.js';
import { factsToProto } from '../link/device-report.js';
import type { DeviceIdentity } from '../ports/device-identity.js';
import { FileIdentityStore } from '../state/file-identity-store.js';
import { rootPaths, type AgentContext } from './agent-context.js';

/** Which server, which token, and whether an enrolment that is there may go. */
export interface EnrollFlags extends JoinTokenFlags {
  readonly server: string;
  readonly force?: boolean;
  readonly unlessEnrolled?: boolean;
}

/**
 * `enroll`: makes a key, and keeps the identity that the server gives for it. Changes nothing else on the machine; what
 * it can do, the server learns when the agent runs. With `unlessEnrolled` a token is looked at only where it is used. Errors:
 * FIELD_INVALID, SERVER_UNREACHABLE, those of the server.
 */
export async function enrollThis(context: AgentContext, command: Command, flags: EnrollFlags): Promise<void> {
  // Others read command lines, and the token may be on this one: it goes out of sight at once.
  if (flags.token !== undefined) process.title = 'curfew-agent enroll';
  const already = flags.unlessEnrolled === true ? await enrolledBefore(context) : undefined;
  if (already !== undefined) {
    say(context, `Enrolled as ${safeText(already.deviceName)} already: the token is not used.`);
    return;
  }
  const token = await joinToken(command, flags, context.env, process.stdin);
  const existing = await enrolledBefore(context);
  if (existing !== undefined && flags.force !== true)
    throw new CurfewError('FIELD_INVALID', {
      field: '--force',
      problem: `this machine is enrolled as ${existing.deviceName} already; say --force to replace that`,
    });
  const paths = rootPaths(context);
  const { machine } = await context.platform(paths);
  const facts = factsToProto(await machine.facts(), context.version, undefined);
  const identity = await enroll({ server: flags.server, token, facts, clock: context.clock });
  await new FileIdentityStore(paths.stateDir).save(identity);
  say(context, `Enrolled as ${safeText(identity.deviceName)}. Next: curfew-agent run, or start its service.`);
}

/** The identity that is there. Sees that the state folder is safe. */
function enrolledBefore(context: AgentContext): Promise<DeviceIdentity | undefined> {
  const { stateDir } = rootPaths(context);
  context.home.prepare(stateDir);
  return new FileIdentityStore(stateDir).load();
}
