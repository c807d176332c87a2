import './command-list.css';
import '../../ui/pages.css';
import { safeText } from '@curfew/shared/browser';
import { Link } from '@tanstack/react-router';
import { useState, type ReactElement } from 'react';
import { useApiQuery } from '../../api/use-api.js';
import { useRefusal } from '../../auth/use-auth.js';
import { bytesText, recordingFromProto, runTimeText, type RecordingView } from '../../model/recording.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { Pager, usePages } from '../../ui/pager.js';
import { SafeText } from '../../ui/safe-text.js';
import { ErrorView, LoadingView } from '../../ui/states.js';
import { Moment } from '../../ui/times.js';
import { CutDialog } from './cut-dialog.js';
import { RecordingLabel } from './recording-label.js';

const PAGE_SIZE = 20;
/** How often it is asked for again while more may come. */
const AGAIN_MS = 5_000;

export interface CommandListProps {
  readonly sessionId: string;
  /** Whether the session is not over, so that more may come. */
  readonly isLive: boolean;
  /** The one that is shown beside the list. */
  readonly current?: string;
}

/** The calls of sudo of a session, page by page; each leads to its replay. */
export function CommandList({ sessionId, isLive, current }: CommandListProps): ReactElement {
  const pages = usePages(sessionId);
  const [cutting, setCutting] = useState<RecordingView>();
  const answer = useApiQuery(
    'RecordingService/ListRecordings',
    { sessionId, pageSize: PAGE_SIZE, ...(pages.token === '' ? {} : { pageToken: pages.token }) },
    { keepPrevious: true, ...(isLive ? { refetchIntervalMs: AGAIN_MS } : {}) },
  );
  if (answer.error !== null)
    return (
      <ErrorView title="The commands could not be loaded" error={answer.error} onRetry={() => void answer.refetch()} />
    );
  if (answer.isPending) return <LoadingView what="commands" />;
  const recordings = (answer.data.recordings ?? []).map(recordingFromProto);
  if (recordings.length === 0)
    return (
      <p className="curfew-subtle">{isLive ? 'Nothing was run with sudo so far.' : 'Nothing was run with sudo.'}</p>
    );
  return (
    <>
      <ol className="curfew-commands" aria-label="Commands of the session">
        {recordings.map((recording) => (
          <Command key={recording.id} recording={recording} isCurrent={recording.id === current} onCut={setCutting} />
        ))}
      </ol>
      <Pager
        pages={pages}
        pageSize={PAGE_SIZE}
        shown={recordings.length}
        total={answer.data.totalSize}
        nextToken={answer.data.nextPageToken}
        what="commands"
      />
      {cutting === undefined ? null : <CutDialog recording={cutting} onClose={() => setCutting(undefined)} />}
    </>
  );
}

interface CommandProps {
  readonly recording: RecordingView;
  readonly isCurrent: boolean;
  readonly onCut: (recording: RecordingView) => void;
}

function Command({ recording, isCurrent, onCut }: CommandProps): ReactElement {
  const { id, sessionId, commandLine, workingDirectory, runAsUser, startTime, state, lostBytes, error } = recording;
  const cutRefusal = useRefusal('RecordingService/CutRecording');
  const took = runTimeText(recording);
  return (
    <li className={isCurrent ? 'curfew-command curfew-command-current' : 'curfew-command'}>
      <Link
        to="/sessions/$sessionId/recordings/$recordingId"
        params={{ sessionId, recordingId: id }}
        className="curfew-code"
        {...(isCurrent ? { 'aria-current': 'page' } : {})}
      >
        <SafeText text={commandLine} />
      </Link>
      <ul className="curfew-dots">
        <li>
          <Moment at={startTime} />
          {took === '' ? '' : `, ${took}`}
        </li>
        {workingDirectory === '' ? null : (
          <li className="curfew-wrap">
            in <SafeText text={workingDirectory} />
          </li>
        )}
        {runAsUser === '' || runAsUser === 'root' ? null : (
          <li className="curfew-wrap">
            as <SafeText text={runAsUser} />
          </li>
        )}
        {lostBytes === 0 ? null : <li>{bytesText(lostBytes)} lost</li>}
      </ul>
      <div className="curfew-buttons">
        <RecordingLabel recording={recording} />
        {state === 'running' ? (
          <GuardedButton
            variant="link"
            size="sm"
            isInline
            isDanger
            refusal={cutRefusal}
            aria-label={`End the command ${safeText(commandLine)}`}
            onClick={() => onCut(recording)}
          >
            End command…
          </GuardedButton>
        ) : null}
      </div>
      {error === '' ? null : (
        <div className="curfew-detail curfew-wrap">
          <SafeText text={error} />
        </div>
      )}
    </li>
  );
}
