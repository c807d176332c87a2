import { instantMs, parseDuration } from '@curfew/shared/browser';
import {
  Button,
  Content,
  Form,
  FormGroup,
  FormHelperText,
  HelperText,
  HelperTextItem,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  TextInput,
  ToggleGroup,
  ToggleGroupItem,
} from '@patternfly/react-core';
import { useState, type ReactElement, type SyntheticEvent } from 'react';
import { errorSentence, failureTitle, fieldError } from '../../api/api-error.js';
import { useApiMutation } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import { durationToProto } from '../../model/proto-json.js';
import { sessionTarget, type SessionView } from '../../model/session.js';
import { durationText } from '../../model/time-text.js';
import { SafeText } from '../../ui/safe-text.js';
import { Moment, TimeLeft } from '../../ui/times.js';
import { Notice } from '../../ui/notice.js';

const CHOICES = ['15m', '30m', '1h', '2h'] as const;

/** Lengthens a session that is live. */
export function ExtendDialog({
  session,
  onClose,
}: {
  readonly session: SessionView;
  readonly onClose: () => void;
}): ReactElement {
  const { toasts } = useServices();
  const [text, setText] = useState('15m');
  const by = parseDuration(text.trim());
  const extend = useApiMutation('SessionService/ExtendSession', {
    quiet: true,
    refreshes: ['SessionService/ListSessions', 'SessionService/GetSession'],
    onDone: () => {
      toasts.show('success', 'The session was extended');
      onClose();
    },
  });
  const problem = by === undefined ? 'Write it as 30m, 1h30m or 90s.' : fieldError(extend.error, 'by');
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (by !== undefined) extend.mutate({ sessionId: session.id, by: durationToProto(by) });
  };
  return (
    <Modal variant="small" isOpen onClose={onClose} aria-labelledby="extend-title">
      <ModalHeader title="Extend this session" labelId="extend-title" />
      <ModalBody>
        <Failure error={extend.error} />
        <Content component="p">
          <SafeText text={session.userName} /> {session.kind === 'device_admin' ? 'on' : 'with'}{' '}
          <SafeText text={sessionTarget(session)} />, <TimeLeft until={session.expireTime} /> left.
        </Content>
        <Form onSubmit={submit}>
          <FormGroup label="By how much" fieldId="extend-by" isRequired>
            <ToggleGroup aria-label="By how much" className="curfew-named">
              {CHOICES.map((choice) => (
                <ToggleGroupItem
                  key={choice}
                  text={choice}
                  buttonId={`extend-${choice}`}
                  isSelected={text === choice}
                  onChange={() => setText(choice)}
                />
              ))}
            </ToggleGroup>
            <TextInput
              id="extend-by"
              value={text}
              validated={problem === undefined ? 'default' : 'error'}
              aria-describedby="extend-help"
              onChange={(_event, next) => setText(next)}
            />
            <FormHelperText>
              <HelperText id="extend-help">
                <HelperTextItem variant={problem === undefined ? 'default' : 'error'}>
                  {problem ?? <NewEnd session={session} by={by ?? 0} />}
                </HelperTextItem>
              </HelperText>
            </FormHelperText>
          </FormGroup>
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button isDisabled={by === undefined} isLoading={extend.isPending} onClick={submit}>
          Extend{by === undefined ? '' : ` by ${durationText(by)}`}
        </Button>
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  );
}

/** What was refused, unless the field shows it. */
function Failure({ error }: { readonly error: Error | null }): ReactElement | null {
  if (error === null || fieldError(error, 'by') !== undefined) return null;
  return (
    <Notice
      variant="danger"
      isLiveRegion
      className="curfew-named"
      title={failureTitle(error, 'The session was not extended')}
    >
      {errorSentence(error)}
    </Notice>
  );
}

function NewEnd({ session, by }: { readonly session: SessionView; readonly by: number }): ReactElement | null {
  if (session.expireTime === undefined) return null;
  return (
    <>
      Ends at <Moment at={instantMs(session.expireTime + by)} /> then.
    </>
  );
}
