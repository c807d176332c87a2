import type { ReactElement } from 'react';
import { useApiMutation } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import type { RecordingView } from '../../model/recording.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { SafeText } from '../../ui/safe-text.js';

export interface CutDialogProps {
  readonly recording: RecordingView;
  readonly onClose: () => void;
}

/** Asks whether a command is to be ended, and has it ended. */
export function CutDialog({ recording, onClose }: CutDialogProps): ReactElement {
  const { toasts } = useServices();
  const cut = useApiMutation('RecordingService/CutRecording', {
    quiet: true,
    refreshes: ['RecordingService/ListRecordings'],
    onDone: () => {
      toasts.show('info', 'The command is being ended', 'It has ended once its device has said so.');
      onClose();
    },
  });
  return (
    <FormDialog
      title="End this command?"
      submitLabel="End the command"
      errorTitle="The command was not ended"
      isDanger
      isBusy={cut.isPending}
      error={cut.error}
      onSubmit={() => cut.mutate({ recordingId: recording.id })}
      onClose={onClose}
    >
      <p className="curfew-code curfew-wrap">
        <SafeText text={recording.commandLine} />
      </p>
      <p>What it was doing is cut off. The session goes on: its person can run other commands.</p>
    </FormDialog>
  );
}
