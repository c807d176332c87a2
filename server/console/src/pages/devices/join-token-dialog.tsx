import { parseDuration } from '@curfew/shared/browser';
import { Content, ExpandableSection } from '@patternfly/react-core';
import { useState, type ReactElement } from 'react';
import { fieldError } from '../../api/api-error.js';
import { useApiMutation } from '../../api/use-api.js';
import { durationToProto, timeFromProto } from '../../model/proto-json.js';
import { DurationField, durationProblem } from '../../ui/duration-field.js';
import { FormDialog, NoticeDialog } from '../../ui/form-dialog.js';
import { SafeText } from '../../ui/safe-text.js';
import { CopyText, SecretOnce } from '../../ui/secret-once.js';
import { TextField } from '../../ui/text-field.js';
import { Moment } from '../../ui/times.js';
import {
  addressProblem,
  agentAddress,
  enrolCommands,
  enrolFromEnvironment,
  INSTALL_COMMANDS,
} from './enrol-commands.js';

export const THIRTY_DAYS_MS = 30 * 86_400_000;
const MOST_USES = 10_000;

/** A token that was made, and whom it lets in. */
export interface Made {
  readonly secret: string;
  readonly uses: number;
  readonly expireTime: string | undefined;
  /** The name of the only device that it lets in again; undefined where it makes new ones. */
  readonly deviceName?: string;
}

/** Makes a join token, and shows the commands that use it. */
export function JoinTokenDialog({ onClose }: { readonly onClose: () => void }): ReactElement {
  const [uses, setUses] = useState('1');
  const [life, setLife] = useState('1h');
  const [made, setMade] = useState<Made>();
  const create = useApiMutation('DeviceService/CreateJoinToken', {
    quiet: true,
    refreshes: ['DeviceService/ListJoinTokens'],
    onDone: ({ secret = '', joinToken }) =>
      setMade({ secret, uses: joinToken?.uses ?? 1, expireTime: joinToken?.expireTime }),
  });
  if (made !== undefined) return <EnrolDialog made={made} onClose={onClose} />;
  const count = Number(uses);
  const usesProblem =
    fieldError(create.error, 'uses') ??
    (/^\d{1,5}$/.test(uses) && count >= 1 && count <= MOST_USES ? undefined : '1 to 10,000.');
  const lifeRefusal = fieldError(create.error, 'ttl');
  const ms = parseDuration(life.trim());
  return (
    <FormDialog
      title="Add devices"
      submitLabel="Make a join token"
      errorTitle="No token was made"
      error={(fieldError(create.error, 'uses') ?? lifeRefusal) ? null : create.error}
      isReady={usesProblem === undefined && durationProblem(life, THIRTY_DAYS_MS) === undefined}
      isBusy={create.isPending}
      focus="token-uses"
      onClose={onClose}
      onSubmit={() => create.mutate({ uses: count, ttl: durationToProto(ms ?? 3_600_000) })}
    >
      <Content component="p">A join token lets machines enrol until it is used up or too old.</Content>
      <TextField
        id="token-uses"
        label="Machines"
        isRequired
        inputMode="numeric"
        value={uses}
        onChange={setUses}
        problem={usesProblem}
        hint="How many may use it."
      />
      <DurationField
        id="token-life"
        label="Works for"
        value={life}
        onChange={setLife}
        longestMs={THIRTY_DAYS_MS}
        hasChoices={false}
        problem={lifeRefusal}
        hint="Such as 1h or 2d; at most 30 days. Shorter is safer."
      />
    </FormDialog>
  );
}

/** Shows a token this once, and the commands that use it. */
export function EnrolDialog({ made, onClose }: { readonly made: Made; readonly onClose: () => void }): ReactElement {
  const [address, setAddress] = useState(() => agentAddress(location.hostname));
  const [isOpen, setOpen] = useState(false);
  const problem = addressProblem(address.trim());
  const commands = enrolCommands(problem === undefined ? address.trim() : 'HOST:7443', made.secret);
  return (
    <NoticeDialog title="Enrol machines with this token" size="large" onClose={onClose}>
      <div className="curfew-stack">
        <SecretOnce label="Join token" text={made.secret}>
          Good for{' '}
          {made.deviceName !== undefined ? (
            <SafeText text={made.deviceName} />
          ) : made.uses === 1 ? (
            'one machine'
          ) : (
            `${made.uses} machines`
          )}{' '}
          until <Moment at={timeFromProto(made.expireTime)} />. Whoever has it can{' '}
          {made.deviceName === undefined ? 'enrol a machine' : 'take its place'}.
        </SecretOnce>
        <TextField
          id="enrol-address"
          label="The server, as the machines reach it"
          value={address}
          onChange={setAddress}
          problem={problem}
          hint="HOST:PORT. The port for agents is 7443 unless the server is set otherwise."
        />
        <Content component="p">Run these as root on the machine, where the agent is installed:</Content>
        {commands.map(({ id, what, command }) => (
          <div key={id}>
            <div className="curfew-detail">{what}</div>
            <CopyText label={what} text={command} />
          </div>
        ))}
        <ExpandableSection
          toggleText="Without the token on the command line, and how to install the agent"
          isExpanded={isOpen}
          onToggle={(_event, open) => setOpen(open)}
        >
          <div className="curfew-stack">
            <div>
              <div className="curfew-detail">Enrol with the token in the environment</div>
              <CopyText
                label="Enrol with the token in the environment"
                text={enrolFromEnvironment(problem === undefined ? address.trim() : 'HOST:7443', made.secret)}
              />
            </div>
            <div>
              <div className="curfew-detail">Install the agent on Linux from its package: the .deb or the .rpm</div>
              <pre className="curfew-pre" tabIndex={0}>
                {INSTALL_COMMANDS}
              </pre>
            </div>
          </div>
        </ExpandableSection>
      </div>
    </NoticeDialog>
  );
}
