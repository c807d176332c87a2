import { decidersText, parseDuration } from '@curfew/shared/browser';
import { Button, Card, CardBody, CardTitle, Form, Label } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState, type ReactElement, type SubmitEvent } from 'react';
import { ApiError, errorSentence, fieldError } from '../../api/api-error.js';
import { useApiQuery, useRefresh } from '../../api/use-api.js';
import type { ExplainAccessRequestJson, PolicyAnswerJson } from '../../gen/api.js';
import { durationFromProto, durationToProto } from '../../model/proto-json.js';
import { durationText } from '../../model/time-text.js';
import { DurationField, durationProblem } from '../../ui/duration-field.js';
import { FactList } from '../../ui/fact-list.js';
import { PolicyLink } from '../../ui/links.js';
import { Notice } from '../../ui/notice.js';
import { SafeText } from '../../ui/safe-text.js';
import { LoadingView } from '../../ui/states.js';
import { ChoiceField, TextField } from '../../ui/text-field.js';
import { useAddress, type Address } from '../../ui/use-address.js';
import { useDeviceNames, useResourceNames, useUserNames } from '../../ui/use-names.js';

type What = 'device' | 'resource';

/** The question that an address asks; undefined when it is not whole. */
function questionOf(address: Address): ExplainAccessRequestJson | undefined {
  const { user, device, resource, account, for: length, reason, ticket } = address;
  if (user === undefined || (device === undefined && resource === undefined)) return undefined;
  const ms = parseDuration(length ?? '');
  return {
    user,
    ...(device === undefined ? { resource: resource ?? '' } : { device }),
    ...(account === undefined ? {} : { account }),
    ...(ms === undefined ? {} : { duration: durationToProto(ms) }),
    ...(reason === undefined ? {} : { reason }),
    ...(ticket === undefined ? {} : { ticket }),
  };
}

const FIELD_OF: Readonly<Record<string, string>> = { USER_NOT_FOUND: 'user', DEVICE_NOT_FOUND: 'device' };

/** 'Would this be allowed?' for any user and device, with the answer of each policy in order. */
export function ExplainTab(): ReactElement {
  const [address, change] = useAddress();
  const question = questionOf(address);
  const refresh = useRefresh();
  const answer = useApiQuery('PolicyService/ExplainAccess', question ?? { user: '' }, {
    enabled: question !== undefined,
  });
  const problemAt = (field: string): string | undefined =>
    fieldError(answer.error, field) ??
    (answer.error instanceof ApiError && FIELD_OF[answer.error.code] === field
      ? errorSentence(answer.error)
      : undefined);
  const isAtField = ['user', 'device', 'resource', 'account', 'duration'].some(
    (field) => problemAt(field) !== undefined,
  );
  return (
    <div className="curfew-columns">
      <ExplainForm
        address={address}
        onAsk={(next) => {
          // The same question may have another answer now.
          refresh(['PolicyService/ExplainAccess']);
          change(next);
        }}
        problemAt={problemAt}
      />
      {question === undefined ? (
        <Notice variant="info" title="Ask about anybody and any device: nothing is requested, and nobody is told." />
      ) : answer.error !== null ? (
        isAtField ? null : (
          <Notice variant="danger" isLiveRegion title="There is no answer">
            {errorSentence(answer.error)}
          </Notice>
        )
      ) : answer.isPending ? (
        <LoadingView what="the answer" />
      ) : (
        <AnswerCard question={question} answer={answer.data.answer ?? {}} />
      )}
    </div>
  );
}

interface ExplainFormProps {
  readonly address: Address;
  readonly onAsk: (changes: Address) => void;
  readonly problemAt: (field: string) => string | undefined;
}

interface Wish {
  readonly user: string;
  readonly target: string;
  readonly account: string;
  readonly length: string;
  readonly reason: string;
  readonly ticket: string;
}

const wishOf = (address: Address): Wish => ({
  user: address['user'] ?? '',
  target: address['device'] ?? address['resource'] ?? '',
  account: address['account'] ?? '',
  length: address['for'] ?? '',
  reason: address['reason'] ?? '',
  ticket: address['ticket'] ?? '',
});

function ExplainForm({ address, onAsk, problemAt }: ExplainFormProps): ReactElement {
  const [what, setWhat] = useState<What>(address['resource'] === undefined ? 'device' : 'resource');
  const [wish, setWish] = useState<Wish>(() => wishOf(address));
  const isDevice = what === 'device';
  const isReady =
    wish.user.trim() !== '' &&
    wish.target.trim() !== '' &&
    durationProblem(wish.length, undefined, false) === undefined;
  const set = (name: keyof Wish) => (value: string) => setWish({ ...wish, [name]: value });
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!isReady) return;
    onAsk({
      user: wish.user.trim(),
      device: isDevice ? wish.target.trim() : undefined,
      resource: isDevice ? undefined : wish.target.trim(),
      account: isDevice ? wish.account.trim() : undefined,
      for: wish.length.trim(),
      reason: wish.reason.trim(),
      ticket: wish.ticket.trim(),
    });
  };
  return (
    <Card isCompact>
      <CardTitle component="h2">Would this be allowed?</CardTitle>
      <CardBody>
        <Form onSubmit={submit} aria-label="Would this be allowed?" noValidate>
          <WhoAndWhat wish={wish} set={set} what={what} onWhat={setWhat} problemAt={problemAt} />
          <DurationField
            id="explain-for"
            label="For how long"
            isRequired={false}
            hasChoices={false}
            value={wish.length}
            onChange={set('length')}
            problem={problemAt('duration')}
            hint="Empty: what would be proposed."
          />
          <TextField id="explain-reason" label="Reason" value={wish.reason} onChange={set('reason')} />
          <TextField id="explain-ticket" label="Ticket" value={wish.ticket} onChange={set('ticket')} />
          <div>
            <Button type="submit" isDisabled={!isReady}>
              Ask the policies
            </Button>
          </div>
        </Form>
      </CardBody>
    </Card>
  );
}

interface WhoAndWhatProps extends Pick<ExplainFormProps, 'problemAt'> {
  readonly wish: Wish;
  readonly set: (name: keyof Wish) => (value: string) => void;
  readonly what: What;
  readonly onWhat: (what: What) => void;
}

function WhoAndWhat({ wish, set, what, onWhat, problemAt }: WhoAndWhatProps): ReactElement {
  const users = useUserNames(wish.user);
  const devices = useDeviceNames(what === 'device' ? wish.target : '');
  const resources = useResourceNames(what === 'device' ? '' : wish.target);
  return (
    <>
      <TextField
        id="explain-user"
        label="User"
        isRequired
        value={wish.user}
        onChange={set('user')}
        suggestions={users}
        problem={problemAt('user')}
      />
      <ChoiceField
        id="explain-what"
        label="Wants"
        value={what}
        choices={[
          ['device', 'admin rights on a device'],
          ['resource', 'access to a resource'],
        ]}
        onChange={onWhat}
      />
      <TextField
        id="explain-target"
        label={what === 'device' ? 'Device' : 'Resource'}
        isRequired
        value={wish.target}
        onChange={set('target')}
        suggestions={what === 'device' ? devices : resources}
        problem={problemAt(what)}
      />
      {what === 'device' ? (
        <TextField
          id="explain-account"
          label="Account"
          value={wish.account}
          onChange={set('account')}
          problem={problemAt('account')}
          hint="Empty: the user’s own there."
        />
      ) : null}
    </>
  );
}

interface AnswerCardProps {
  /** What was asked; the form beside it may have been changed since. */
  readonly question: ExplainAccessRequestJson;
  readonly answer: PolicyAnswerJson;
}

function AnswerCard({ question, answer }: AnswerCardProps): ReactElement {
  const { allowed = false, reason = '', checks = [], policyName = '', policyVersion = '0' } = answer;
  const longest = durationFromProto(answer.maxDuration);
  const usual = durationFromProto(answer.defaultDuration);
  const text = reason === '' ? '' : `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`;
  return (
    <Card isCompact>
      <CardTitle component="h2">The answer</CardTitle>
      <CardBody className="curfew-stack">
        <span className="curfew-subtle">
          For <SafeText text={question.user ?? ''} /> and <SafeText text={question.device ?? question.resource ?? ''} />
        </span>
        <Notice
          variant={allowed ? 'success' : 'danger'}
          isLiveRegion
          title={allowed ? 'Yes, it may be asked for' : 'No'}
        >
          <SafeText text={text} />
        </Notice>
        <Table variant="compact" aria-label="What each policy says, in order" borders={false}>
          <Thead>
            <Tr>
              <Th modifier="nowrap">Policy</Th>
              <Th modifier="nowrap">Is it about this?</Th>
              <Th width={40}>Why</Th>
            </Tr>
          </Thead>
          <Tbody>
            {checks.map((check, index) => (
              <Tr key={check.policyName}>
                <Td dataLabel="Policy" modifier="breakWord">
                  {index + 1}. <PolicyLink name={check.policyName ?? ''} />
                </Td>
                <Td dataLabel="Is it about this?">
                  <Label isCompact color={check.matches === true ? 'blue' : 'grey'}>
                    {check.matches === true ? 'yes: it decides' : 'no'}
                  </Label>
                </Td>
                <Td dataLabel="Why" modifier="breakWord">
                  <SafeText text={check.reason ?? ''} />
                </Td>
              </Tr>
            ))}
          </Tbody>
        </Table>
        {allowed ? (
          <FactList
            facts={[
              ['Policy', `${policyName}, version ${policyVersion}`],
              ['At most', longest === undefined ? 'no limit' : durationText(longest)],
              ['Proposed', usual === undefined ? '' : durationText(usual)],
              [
                'Who decides',
                answer.autoApproved === true ? 'nobody: it is approved by itself' : decidersText(answer.steps ?? []),
              ],
              ['Ticket', answer.ticketRequired === true ? 'needed' : 'not needed'],
              ['Break-glass', answer.breakGlass === true ? 'possible' : 'not possible'],
              ['Fresh sign-in', answer.freshSignInRequired === true ? 'needed to start' : 'not needed'],
            ]}
          />
        ) : null}
      </CardBody>
    </Card>
  );
}
