import { useNavigate } from '@tanstack/react-router';
import { useRef, useState, type ReactElement, type ReactNode } from 'react';
import type { RequestView } from '../../model/request.js';
import { useKeys } from '../../ui/use-keys.js';
import { RequestRow } from './request-row.js';

export interface RequestListProps {
  readonly label: string;
  readonly requests: readonly RequestView[];
  readonly actions: (request: RequestView) => ReactNode;
  /** What single letters do to the request that is marked. */
  readonly commands: Readonly<Record<string, (request: RequestView) => void>>;
  readonly hasKeys: boolean;
}

/** Requests to be worked through by keyboard: arrows or j and k move, Enter opens, letters act. */
export function RequestList({ label, requests, actions, commands, hasKeys }: RequestListProps): ReactElement {
  const navigate = useNavigate();
  const rows = useRef(new Map<string, HTMLLIElement>());
  const [currentId, setCurrentId] = useState<string>();
  // When the marked one has gone, its place is taken by the one that follows it.
  const lastIndex = useRef(0);
  const found = requests.findIndex(({ id }) => id === currentId);
  const index = found >= 0 ? found : Math.min(lastIndex.current, Math.max(0, requests.length - 1));
  lastIndex.current = index;
  const current = requests[index];
  const move = (by: number): void => {
    const next = requests[Math.min(requests.length - 1, Math.max(0, index + by))];
    if (next === undefined) return;
    setCurrentId(next.id);
    rows.current.get(next.id)?.focus();
  };
  const withCurrent = (act: (request: RequestView) => void) => (): void => {
    if (current !== undefined) act(current);
  };
  const open = withCurrent(({ id }) => void navigate({ to: '/requests/$requestId', params: { requestId: id } }));
  useKeys(
    {
      j: () => move(1),
      ArrowDown: () => move(1),
      k: () => move(-1),
      ArrowUp: () => move(-1),
      Enter: open,
      ...Object.fromEntries(Object.entries(commands).map(([key, act]) => [key, withCurrent(act)])),
    },
    hasKeys,
  );
  return (
    <ul className="curfew-requests" aria-label={label}>
      {requests.map((request) => (
        <RequestRow
          key={request.id}
          request={request}
          isCurrent={request.id === current?.id}
          onFocus={() => setCurrentId(request.id)}
          rowRef={(row) => {
            if (row === null) rows.current.delete(request.id);
            else rows.current.set(request.id, row);
          }}
          actions={actions(request)}
        />
      ))}
    </ul>
  );
}
