import { durationMs, type Clock } from '@curfew/shared';

/**
 * Tells systemd, where it has started this process with Type=notify, that the server is ready, and from then on that it goes
 * on (sd_notify(3)). Without systemd it does nothing. The returned function ends that.
 */
export async function giveSignsOfLife(
  { NOTIFY_SOCKET: socket = '', WATCHDOG_USEC: watchdog = '' }: Readonly<Record<string, string | undefined>>,
  clock: Clock,
): Promise<() => void> {
  if (socket === '') return () => undefined;
  const { default: koffi } = await import('koffi');
  const tell = koffi.load('libsystemd.so.0').func('int sd_notify(int unset_environment, const char *state)');
  tell(0, 'READY=1');
  if (!/^\d{1,15}$/.test(watchdog)) return () => undefined;
  const every = durationMs(Number(watchdog) / 4_000);
  let cancel = (): void => undefined;
  const again = (): void => {
    tell(0, 'WATCHDOG=1');
    cancel = clock.after(every, again);
  };
  again();
  return () => {
    cancel();
  };
}
