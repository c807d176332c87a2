import type { Logger } from '@curfew/shared';
import type { ConnectorKind, ConnectorParts } from '../connectors/connector-kind.js';
import type { Config } from '../config/config.js';
import { systemResolve, TargetGuard } from '../notifiers/targets/target-guard.js';
import type { SecretStore } from '../pki/secret-store.js';
import { Connectors } from '../resources/connectors.js';
import { Resources } from '../resources/resources.js';
import { SecretBox } from '../secrets/secret-box.js';
import type { UseCaseContext } from '../use-case-context.js';
import { TimedAccess } from './timed-access.js';

/** Everything about resources. */
export interface OpenTimedAccess {
  /** The kinds that this server offers. */
  readonly kinds: readonly ConnectorKind[];
  readonly connectors: Connectors;
  readonly resources: Resources;
  readonly work: TimedAccess;
}

/** Puts the parts of timed access together. Nothing is called before `work.start`. */
export async function openTimedAccess({
  context,
  config,
  files,
  kinds,
  logger,
}: {
  readonly context: UseCaseContext;
  readonly config: Pick<Config, 'timedAccess'>;
  readonly files: SecretStore;
  readonly kinds: readonly ConnectorKind[];
  readonly logger: Logger;
}): Promise<OpenTimedAccess> {
  const { clock, random } = context;
  const { timedAccess: settings } = config;
  const guard = new TargetGuard(settings.allowLocalTargets, systemResolve, {
    field: 'settings',
    option: 'timed_access.allow_local_targets',
  });
  const parts: ConnectorParts = { clock, random, guard, commandFolder: settings.commandFolder };
  const connectors = new Connectors({ context, kinds, secrets: await SecretBox.open(files, random), parts });
  const resources = new Resources(context, connectors);
  const work = new TimedAccess({ context, logger, parts, connectors, resources, settings });
  return { kinds: kinds.filter(({ unavailable }) => unavailable?.(parts) === undefined), connectors, resources, work };
}
