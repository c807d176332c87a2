import { Notice } from './notice.js';
import { Button, Form, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { useId, type ReactElement, type ReactNode, type SubmitEvent } from 'react';
import { errorSentence, failureTitle } from '../api/api-error.js';

export interface FormDialogProps {
  readonly title: string;
  readonly submitLabel: string;
  readonly onSubmit: () => void;
  readonly onClose: () => void;
  /** Whether everything that is needed is there. */
  readonly isReady?: boolean;
  readonly isBusy?: boolean;
  /** Whether it takes something away. */
  readonly isDanger?: boolean;
  /** What was refused, unless a field shows it. */
  readonly error?: Error | null | undefined;
  /** What did not happen, such as 'The request was not approved'. */
  readonly errorTitle?: string;
  /** The id of the field that gets the focus at first. */
  readonly focus?: string;
  readonly size?: 'small' | 'medium' | 'large';
  readonly children: ReactNode;
}

/** A dialog with a form. Esc closes it, Enter in a field sends it, and what is refused is said inside. */
export function FormDialog(props: FormDialogProps): ReactElement {
  const { title, submitLabel, onSubmit, onClose, isReady = true, isBusy = false, isDanger = false } = props;
  const { error, errorTitle = 'That did not work', focus, size = 'small', children } = props;
  const id = useId();
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    // A dialog inside of another page's form must not send that one.
    event.stopPropagation();
    if (isReady && !isBusy) onSubmit();
  };
  return (
    <Modal
      variant={size}
      isOpen
      onClose={onClose}
      aria-labelledby={`${id}-title`}
      {...(focus === undefined ? {} : { elementToFocus: `#${focus}` })}
    >
      <ModalHeader title={title} labelId={`${id}-title`} {...(isDanger ? { titleIconVariant: 'warning' } : {})} />
      <ModalBody tabIndex={0} aria-label={title}>
        {error === undefined || error === null ? null : (
          <Notice variant="danger" isLiveRegion className="curfew-named" title={failureTitle(error, errorTitle)}>
            {errorSentence(error)}
          </Notice>
        )}
        <Form id={`${id}-form`} onSubmit={submit} aria-label={title} noValidate>
          {children}
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button
          type="submit"
          form={`${id}-form`}
          variant={isDanger ? 'danger' : 'primary'}
          isDisabled={!isReady}
          isLoading={isBusy}
        >
          {submitLabel}
        </Button>
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  );
}

export interface NoticeDialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly size?: 'small' | 'medium' | 'large';
  readonly children: ReactNode;
}

/** A dialog that only tells. */
export function NoticeDialog({ title, onClose, size = 'medium', children }: NoticeDialogProps): ReactElement {
  const id = useId();
  return (
    <Modal variant={size} isOpen onClose={onClose} aria-labelledby={`${id}-title`}>
      <ModalHeader title={title} labelId={`${id}-title`} />
      <ModalBody tabIndex={0} aria-label={title}>
        {children}
      </ModalBody>
      <ModalFooter>
        <Button onClick={onClose}>Close</Button>
      </ModalFooter>
    </Modal>
  );
}
