import { Alert, AlertActionCloseButton, AlertGroup } from '@patternfly/react-core';
import { useEffect, useSyncExternalStore, type ReactElement } from 'react';
import { durationMs } from '@curfew/shared/browser';
import type { Toast } from '../ui/toasts.js';
import { useServices } from './services.js';

const SHOWN_MS = 6_000;

/** The notices in the corner; a live region, so that screen readers read each as it comes. */
export function ToastList(): ReactElement {
  const { toasts } = useServices();
  const list = useSyncExternalStore(toasts.subscribe, toasts.current);
  return (
    <AlertGroup isToast isLiveRegion aria-label="Notices">
      {list.map((toast) => (
        <ToastItem key={toast.id} toast={toast} onClose={() => toasts.close(toast.id)} />
      ))}
    </AlertGroup>
  );
}

function ToastItem({ toast, onClose }: { readonly toast: Toast; readonly onClose: () => void }): ReactElement {
  const { clock } = useServices();
  useEffect(() => {
    if (toast.variant !== 'success') return undefined;
    return clock.after(durationMs(SHOWN_MS), onClose);
    // Only its coming starts the time: later renders hand in new functions that do the same.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [toast.id]);
  return (
    <Alert
      component="p"
      variant={toast.variant}
      title={toast.title}
      actionClose={<AlertActionCloseButton title={toast.title} onClose={onClose} />}
    >
      {toast.body}
    </Alert>
  );
}
