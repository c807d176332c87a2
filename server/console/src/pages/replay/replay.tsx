import { DownloadIcon } from '@patternfly/react-icons/dist/esm/icons/download-icon.js';
import { useState, type ReactElement } from 'react';
import { useRefusal } from '../../auth/use-auth.js';
import { downloadText } from '../../export/download.js';
import { bytesText, recordingFromProto, runTimeText, type RecordingView } from '../../model/recording.js';
import type { FeedState, RecordingFeed } from '../../recording/recording-feed.js';
import { FactList } from '../../ui/fact-list.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { Notice } from '../../ui/notice.js';
import { SafeText } from '../../ui/safe-text.js';
import { ErrorView, LoadingView } from '../../ui/states.js';
import { Moment } from '../../ui/times.js';
import { CutDialog } from './cut-dialog.js';
import { Player } from './player.js';
import { RecordingLabel } from './recording-label.js';
import { useFeed, useRecordingFeed } from './use-recording-feed.js';

/** One recording: what it is of, and what was shown. */
export function Replay({ recordingId }: { readonly recordingId: string }): ReactElement {
  const feed = useRecordingFeed(recordingId);
  return feed === undefined ? <LoadingView what="the recording" /> : <ReplayOf feed={feed} />;
}

function ReplayOf({ feed }: { readonly feed: RecordingFeed }): ReactElement {
  const { state, error, recording: json, playback, eventCount } = useFeed(feed);
  const failed =
    state === 'refused' ? <ErrorView title="The recording could not be loaded as a whole" error={error} /> : null;
  if (json === undefined || playback === undefined) return failed ?? <LoadingView what="the recording" />;
  const recording = recordingFromProto(json);
  const why = whyNoOutput(recording, state === 'whole' && eventCount === 0);
  return (
    <>
      <div className="curfew-head-row">
        <div className="curfew-replay-title">
          <code>
            <SafeText text={recording.commandLine} />
          </code>
          <RecordingLabel recording={recording} />
        </div>
        <Actions recording={recording} feed={feed} state={state} hasOutput={why === undefined} />
      </div>
      {failed}
      {recording.lostBytes === 0 ? null : (
        <Notice variant="warning" isPlain title={`${bytesText(recording.lostBytes)} are missing`}>
          The device had no room for them.
        </Notice>
      )}
      {state === 'cut' ? (
        <Notice variant="warning" title="This is only the beginning of it">
          The page cannot hold more. <code>curfewctl sessions replay {recording.id}</code> shows the whole.
        </Notice>
      ) : null}
      {why === undefined ? (
        <Player feed={feed} playback={playback} recording={recording} />
      ) : (
        <Notice variant="info" title="There is no output to show">
          {why}
        </Notice>
      )}
      <Facts recording={recording} />
    </>
  );
}

/** Why there is nothing to play, in a sentence; undefined when there is or may be. */
function whyNoOutput({ state, mode }: RecordingView, isEmpty: boolean): string | undefined {
  if (state === 'refused') return 'sudo refused to run the command.';
  if (mode === 'commands' || mode === 'off') return 'The policy has commands recorded, not what they write.';
  return isEmpty ? 'The command wrote nothing.' : undefined;
}

interface ActionsProps {
  readonly recording: RecordingView;
  readonly feed: RecordingFeed;
  readonly state: FeedState;
  readonly hasOutput: boolean;
}

const DOWNLOAD_REFUSALS: Partial<Record<FeedState, string>> = {
  connecting: 'It is still being loaded.',
  broken: 'It is not whole: the link to the server is broken.',
  refused: 'It could not be loaded as a whole.',
  cut: 'It is longer than the page can hold; curfewctl sessions replay writes it to a file.',
};

function Actions({ recording, feed, state, hasOutput }: ActionsProps): ReactElement {
  const [isCutting, setCutting] = useState(false);
  const cutRefusal = useRefusal('RecordingService/CutRecording');
  const isRunning = recording.state === 'running';
  const loading = state === 'live' && !isRunning ? DOWNLOAD_REFUSALS.connecting : DOWNLOAD_REFUSALS[state];
  return (
    <div className="curfew-buttons">
      <GuardedButton
        variant="secondary"
        icon={<DownloadIcon />}
        refusal={hasOutput ? loading : 'There is no output.'}
        onClick={() => downloadText(`${recording.id}.cast`, 'application/x-asciicast', feed.file())}
      >
        Download as asciicast
      </GuardedButton>
      <GuardedButton
        variant="danger"
        refusal={cutRefusal ?? (isRunning ? undefined : 'It has ended.')}
        onClick={() => setCutting(true)}
      >
        End command…
      </GuardedButton>
      {isCutting ? <CutDialog recording={recording} onClose={() => setCutting(false)} /> : null}
    </div>
  );
}

function Facts({ recording }: { readonly recording: RecordingView }): ReactElement {
  const { workingDirectory, runAsUser, terminal, startTime, deleteTime, error } = recording;
  return (
    <FactList
      facts={[
        ['Why', error === '' ? undefined : <SafeText text={error} />],
        ['Began', <Moment key="began" at={startTime} />],
        ['Took', runTimeText(recording)],
        ['In', workingDirectory === '' ? undefined : <SafeText text={workingDirectory} />],
        ['As', runAsUser === '' ? undefined : <SafeText text={runAsUser} />],
        ['Terminal', terminal === '' ? 'none' : <SafeText text={terminal} />],
        ['Kept until', deleteTime === undefined ? undefined : <Moment key="deleted" at={deleteTime} />],
      ]}
    />
  );
}
