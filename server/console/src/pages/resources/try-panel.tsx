import { Button } from '@patternfly/react-core';
import { useState, type KeyboardEvent, type ReactElement } from 'react';
import { errorSentence, fieldError } from '../../api/api-error.js';
import { useApiMutation } from '../../api/use-api.js';
import { useRefusal } from '../../auth/use-auth.js';
import type { TryResourceRequestJson, TryResourceResponseJson } from '../../gen/api.js';
import { durationFromProto } from '../../model/proto-json.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { Notice } from '../../ui/notice.js';
import { SafeText } from '../../ui/safe-text.js';
import { TextField } from '../../ui/text-field.js';
import { useUserNames } from '../../ui/use-names.js';

export interface TryPanelProps {
  /** The resource, or how one could be. */
  readonly which: Pick<TryResourceRequestJson, 'resource' | 'candidate'>;
  /** Why it cannot be tried now, in a sentence. */
  readonly refusal?: string | undefined;
}

/** Asks the resource what it is and whether it knows somebody. Nothing there is changed. */
export function TryPanel({ which, refusal }: TryPanelProps): ReactElement {
  const [user, setUser] = useState('');
  const users = useUserNames(user);
  const roleRefusal = useRefusal('ResourceService/TryResource');
  const attempt = useApiMutation('ResourceService/TryResource', { quiet: true });
  const why = roleRefusal ?? refusal;
  const run = (): void => {
    if (why === undefined && !attempt.isPending) attempt.mutate({ ...which, user: user.trim() });
  };
  // Inside of another form Enter must not send that one.
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    run();
  };
  // What was found is of what was tried; once that has changed it says nothing.
  const { user: tried = '', ...asked } = attempt.variables ?? {};
  const isOfThis = JSON.stringify(asked) === JSON.stringify(which);
  const error = isOfThis ? attempt.error : null;
  const userProblem = fieldError(error, 'user');
  return (
    <div className="curfew-stack">
      <div onKeyDown={onKeyDown}>
        <TextField
          id="try-user"
          label="Somebody to look for"
          value={user}
          onChange={setUser}
          suggestions={users}
          problem={userProblem}
          hint="A user’s name. Empty: nobody. Nothing is changed there."
        />
      </div>
      <div>
        <GuardedButton variant="secondary" refusal={why} isLoading={attempt.isPending} onClick={run}>
          Try it
        </GuardedButton>
      </div>
      {error === null || userProblem !== undefined ? null : (
        <Notice variant="danger" isLiveRegion title="It was not tried">
          {errorSentence(error)}
        </Notice>
      )}
      {attempt.data === undefined || !isOfThis ? null : (
        <TryResult answer={attempt.data} user={tried} onClear={attempt.reset} />
      )}
    </div>
  );
}

interface TryResultProps {
  readonly answer: TryResourceResponseJson;
  readonly user: string;
  readonly onClear: () => void;
}

function TryResult({ answer, user, onClear }: TryResultProps): ReactElement {
  const { ok = false, problem = '', description = '', findings = [], subject = '', has = false } = answer;
  const took = `It took ${((durationFromProto(answer.took) ?? 0) / 1000).toLocaleString('en')} s.`;
  const clear = (
    <Button variant="link" isInline onClick={onClear}>
      Clear
    </Button>
  );
  if (!ok)
    return (
      <Notice variant="danger" isLiveRegion title="It could not be read" actionLinks={clear}>
        <SafeText text={problem} /> {took}
      </Notice>
    );
  return (
    <>
      <Notice
        variant="success"
        isLiveRegion
        title={
          <>
            It answers: <SafeText text={description} />
          </>
        }
        actionLinks={clear}
      >
        {user === '' ? null : subject === '' ? (
          <p>
            It knows nobody for <SafeText text={user} />; change the resource and say how that user is called there.
          </p>
        ) : (
          <p>
            <SafeText text={user} /> is known there as <SafeText text={subject} />, and{' '}
            {has ? 'has it now' : 'does not have it now'}.
          </p>
        )}
        <p>{took}</p>
      </Notice>
      {findings.map((finding) => (
        <Notice key={finding} variant="warning" title={<SafeText text={finding} />} />
      ))}
    </>
  );
}
