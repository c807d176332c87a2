import { Button, Content, Progress } from '@patternfly/react-core';
import { useEffect, useRef, useState, type ReactElement } from 'react';
import { errorSentence } from '../../api/api-error.js';
import { useServices } from '../../app/services.js';
import { FactList } from '../../ui/fact-list.js';
import { NoticeDialog } from '../../ui/form-dialog.js';
import { Notice } from '../../ui/notice.js';
import { CopyText } from '../../ui/secret-once.js';
import { TextField } from '../../ui/text-field.js';
import { AuditVerifier, canVerify, type AuditVerdict } from './audit-verifier.js';
import { readLog } from './read-log.js';
import { storedSeenLog, storeSeenLog } from './seen-log.js';

/** Where the key came from that a verdict rests on. */
type KeySource = 'given' | 'seen' | 'server';

type Check =
  | { readonly state: 'idle' }
  | { readonly state: 'running'; readonly checked: number }
  | { readonly state: 'impossible' }
  | { readonly state: 'failed'; readonly error: unknown }
  | {
      readonly state: 'done';
      readonly verdict: AuditVerdict;
      readonly verificationKey: string;
      readonly source: KeySource;
    };

type DoneCheck = Extract<Check, { state: 'done' }>;

const IMPOSSIBLE: Check = { state: 'impossible' };

/** Reads the whole log, checks it here, and tells as it goes on. */
function useCheck(): readonly [Check, (key: string) => void] {
  const { api } = useServices();
  const [check, setCheck] = useState<Check>({ state: 'idle' });
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const run = async (given: string): Promise<void> => {
    running.current?.abort();
    const mine = new AbortController();
    running.current = mine;
    const tell = (next: Check): void => {
      if (!mine.signal.aborted) setCheck(next);
    };
    tell({ state: 'running', checked: 0 });
    try {
      if (!(await canVerify())) {
        tell(IMPOSSIBLE);
        return;
      }
      const seen = storedSeenLog();
      const verifier = new AuditVerifier(seen);
      const seal = await readLog(api, mine.signal, async (records) => {
        await verifier.add(records);
        tell({ state: 'running', checked: verifier.size });
      });
      const source: KeySource = given !== '' ? 'given' : seen !== undefined ? 'seen' : 'server';
      const key = source === 'given' ? given : (seen?.key ?? seal.key);
      const verdict: AuditVerdict =
        seal.key === key
          ? await verifier.finish(seal.note, key)
          : { ok: false, problem: `the server signs with another key now: ${seal.key}` };
      if (verdict.ok && verdict.size > 0) storeSeenLog({ key, ...verdict });
      tell({ state: 'done', verdict, verificationKey: key, source });
    } catch (error) {
      tell({ state: 'failed', error });
    }
  };
  return [check, (key) => void run(key)];
}

/** Checks in this browser that nothing in the audit log was changed, and says plainly what that means. */
export function VerifyDialog({ onClose }: { readonly onClose: () => void }): ReactElement {
  const [key, setKey] = useState('');
  const [check, run] = useCheck();
  return (
    <NoticeDialog title="Verify the audit log" onClose={onClose}>
      <div className="curfew-stack">
        <Content component="p">
          Reads the whole log and checks here, in your browser, that its records are exactly those that the server has
          signed.
        </Content>
        <TextField
          id="verify-key"
          label="Verification key that you have noted"
          value={key}
          onChange={(text) => setKey(text.trim())}
          placeholder="curfew/…+…+…"
          hint="Empty: the key that this browser has seen before, or else the one that the server tells."
        />
        <div>
          <Button isLoading={check.state === 'running'} isDisabled={check.state === 'running'} onClick={() => run(key)}>
            {check.state === 'idle' ? 'Verify' : 'Verify again'}
          </Button>
        </div>
        <Result check={check} />
      </div>
    </NoticeDialog>
  );
}

function Result({ check }: { readonly check: Check }): ReactElement | null {
  switch (check.state) {
    case 'idle':
      return null;
    case 'running':
      return (
        <Progress
          aria-label="Records checked"
          title="Checking"
          value={100}
          label={`${check.checked.toLocaleString('en')} records`}
          valueText={`${check.checked} records`}
        />
      );
    case 'impossible':
      return (
        <>
          <Notice variant="warning" isLiveRegion title="This browser cannot check signatures of this kind">
            Nothing was checked. A newer browser can, and so can curfewctl, offline:
          </Notice>
          <Offline />
        </>
      );
    case 'failed':
      return (
        <Notice variant="danger" isLiveRegion title="The check came to no end">
          {errorSentence(check.error)} Nothing is said about the log.
        </Notice>
      );
    case 'done':
      return <Verdict {...check} />;
  }
}

const SOURCES: Readonly<Record<KeySource, string>> = {
  given: 'you have given it',
  seen: 'this browser has seen it before',
  server: 'the server told it just now: note it, so that the next check does not have to trust the server',
};

function Verdict({ verdict, verificationKey: key, source }: DoneCheck): ReactElement {
  return (
    <>
      {verdict.ok ? (
        <Notice variant="success" isLiveRegion title="The audit log is whole">
          {verdict.size === 0
            ? 'It has no records yet.'
            : `All ${verdict.size.toLocaleString('en')} records are those that were signed.`}
        </Notice>
      ) : (
        <Notice variant="danger" isLiveRegion title="The audit log is NOT whole">
          {errorSentence(new Error(verdict.problem))}
        </Notice>
      )}
      <FactList
        facts={[
          ['Checked', 'every record’s hash, the tree over them (RFC 6962), and the signature of the checkpoint'],
          ['The key', SOURCES[source]],
          ['Log', verdict.ok ? verdict.origin : ''],
          ['Root hash', verdict.ok ? <code key="root">{verdict.root}</code> : ''],
        ]}
      />
      {key === '' ? null : <CopyText label="Verification key" text={key} />}
      <Content component="p">The same without this server’s pages:</Content>
      <Offline verificationKey={key} />
    </>
  );
}

function Offline({ verificationKey = '' }: { readonly verificationKey?: string }): ReactElement {
  const key = verificationKey === '' ? '' : ` --key '${verificationKey}'`;
  return (
    <CopyText
      label="Verify offline"
      text={`curfewctl audit export audit.jsonl && curfewctl audit verify audit.jsonl${key}`}
    />
  );
}
