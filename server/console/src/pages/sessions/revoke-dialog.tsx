import type { SessionKind } from '@curfew/shared/browser';
import {
  Button,
  Content,
  Form,
  List,
  ListItem,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
} from '@patternfly/react-core';
import { useState, type ReactElement } from 'react';
import { isOutOfReach, sessionTarget, type SessionView } from '../../model/session.js';
import { ReasonField } from '../../ui/reason-field.js';
import { SafeText } from '../../ui/safe-text.js';
import { Moment, TimeLeft } from '../../ui/times.js';
import { Notice } from '../../ui/notice.js';

/** How many are named one by one. */
const NAMED = 8;

/** What is to be revoked: sessions that are known, or every one that matches. */
export type RevokeTarget =
  | { readonly kind: 'some'; readonly sessions: readonly SessionView[] }
  | { readonly kind: 'matching'; readonly total: number; readonly isNarrowed: boolean; readonly sessions: SessionKind };

export interface RevokeDialogProps {
  readonly target: RevokeTarget;
  readonly onRevoke: (reason: string) => void;
  readonly onClose: () => void;
}

const count = (number: number, word: string): string =>
  `${number.toLocaleString('en')} ${word}${number === 1 ? '' : 's'}`;

/** Says by name what will happen, and asks why. */
export function RevokeDialog({ target, onRevoke, onClose }: RevokeDialogProps): ReactElement {
  const [reason, setReason] = useState('');
  const number = target.kind === 'some' ? target.sessions.length : target.total;
  const title = number === 1 ? 'Revoke this session?' : `Revoke ${count(number, 'session')}?`;
  const ready = reason.trim() !== '';
  return (
    <Modal
      variant="medium"
      isOpen
      onClose={onClose}
      aria-labelledby="revoke-title"
      aria-describedby="revoke-body"
      elementToFocus="#revoke-reason"
    >
      <ModalHeader title={title} labelId="revoke-title" titleIconVariant="warning" />
      <ModalBody id="revoke-body">
        {target.kind === 'some' ? <SomeSessions sessions={target.sessions} /> : <Matching {...target} />}
        <Form
          onSubmit={(event) => {
            event.preventDefault();
            if (ready) onRevoke(reason.trim());
          }}
        >
          <ReasonField
            id="revoke-reason"
            value={reason}
            onChange={setReason}
            hint="The person sees it, and it stays in the audit log."
          />
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button variant="danger" isDisabled={!ready} onClick={() => onRevoke(reason.trim())}>
          {number === 1 ? 'Revoke' : `Revoke ${count(number, 'session')}`}
        </Button>
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  );
}

function SomeSessions({ sessions }: { readonly sessions: readonly SessionView[] }): ReactElement {
  const silent = sessions.filter(isOutOfReach);
  const offline = silent.filter(({ kind }) => kind === 'device_admin');
  const resources = new Set(silent.filter(({ kind }) => kind === 'timed_access').map(({ resourceId }) => resourceId));
  const latest = offline.map(({ expireTime }) => expireTime ?? 0).reduce((a, b) => (a > b ? a : b), 0);
  const word = sessions.every(({ kind }) => kind === 'timed_access') ? 'access' : 'right';
  const people = new Set(sessions.map(({ userId }) => userId)).size;
  return (
    <>
      <Content component="p">
        {sessions.length === 1
          ? `The ${word} ends now, however much time is left:`
          : `The ${word === 'access' ? 'access' : 'rights'} of ${people === 1 ? 'one person' : `${people} people`} ${word === 'access' ? 'ends' : 'end'} now, however much time is left:`}
      </Content>
      <List className="curfew-named">
        {sessions.slice(0, NAMED).map((session) => (
          <ListItem key={session.id}>
            <strong>
              <SafeText text={session.userName} />
            </strong>{' '}
            {session.kind === 'device_admin' ? 'on' : 'to'}{' '}
            <strong>
              <SafeText text={sessionTarget(session)} />
            </strong>
            , <TimeLeft until={session.expireTime} /> left
          </ListItem>
        ))}
        {sessions.length > NAMED ? <ListItem>and {count(sessions.length - NAMED, 'more session')}</ListItem> : null}
      </List>
      {offline.length === 0 ? null : (
        <Notice
          variant="warning"
          className="curfew-named"
          title={offline.length === 1 ? 'One device is out of reach' : `${offline.length} devices are out of reach`}
        >
          Rights there end as soon as the device is back, and by themselves at{' '}
          <Moment at={latest as NonNullable<SessionView['expireTime']>} /> at the latest.
        </Notice>
      )}
      {resources.size === 0 ? null : (
        <Notice
          variant="warning"
          className="curfew-named"
          title={resources.size === 1 ? 'One resource does not answer' : `${resources.size} resources do not answer`}
        >
          Curfew goes on asking; the access there is gone once the resource has confirmed.
        </Notice>
      )}
    </>
  );
}

function Matching({
  total,
  isNarrowed,
  sessions,
}: {
  readonly total: number;
  readonly isNarrowed: boolean;
  readonly sessions: SessionKind;
}): ReactElement {
  return (
    <Notice
      variant="warning"
      className="curfew-named"
      title={
        isNarrowed
          ? `All ${count(total, 'session')} that match the filters end now, on every page`
          : `All ${count(total, 'session')} of this tab end now, on every page`
      }
    >
      {sessions === 'device_admin'
        ? 'Everybody who is listed loses the right, however much time is left. Devices out of reach follow when they are back, or when the time is over.'
        : 'Everybody who is listed loses the access, however much time is left. Resources that do not answer follow once they do; Curfew goes on asking.'}
    </Notice>
  );
}
