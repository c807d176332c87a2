import {
  useMutation,
  useQuery,
  useQueryClient,
  type UseMutationResult,
  type UseQueryResult,
} from '@tanstack/react-query';
import { useCallback } from 'react';
import { useServices } from '../app/services.js';
import type { CallMethods } from '../gen/api.js';
import { errorSentence, failureTitle, wasRefused } from './api-error.js';

/** Settings of a query that pages need. */
export interface ApiQueryOptions {
  readonly enabled?: boolean;
  readonly refetchIntervalMs?: number;
  /** Whether the answer to the last question stays while the next is fetched. */
  readonly keepPrevious?: boolean;
}

/** Asks, and keeps the answer under the method and the request. */
export function useApiQuery<M extends keyof CallMethods>(
  method: M,
  request: CallMethods[M]['request'],
  options: ApiQueryOptions = {},
): UseQueryResult<CallMethods[M]['response']> {
  const { api } = useServices();
  return useQuery<CallMethods[M]['response']>({
    queryKey: [method, request],
    queryFn: ({ signal }) => api.ask(method, request, signal),
    enabled: options.enabled ?? true,
    refetchInterval: options.refetchIntervalMs ?? false,
    ...(options.keepPrevious === true ? { placeholderData: (previous) => previous } : {}),
  });
}

/** What a mutation tells besides the answer. */
export interface ApiMutationOptions<M extends keyof CallMethods> {
  /** Methods whose kept answers are asked for again afterwards. */
  readonly refreshes?: readonly (keyof CallMethods)[];
  readonly onDone?: (response: CallMethods[M]['response'], request: CallMethods[M]['request']) => void;
  /** Where the page shows the error itself, no notice is shown. */
  readonly quiet?: boolean;
}

/** Changes something. A refusal is shown as a notice unless the page shows it. */
export function useApiMutation<M extends keyof CallMethods>(
  method: M,
  options: ApiMutationOptions<M> = {},
): UseMutationResult<CallMethods[M]['response'], Error, CallMethods[M]['request']> {
  const { api, toasts } = useServices();
  const refresh = useRefresh();
  return useMutation<CallMethods[M]['response'], Error, CallMethods[M]['request']>({
    mutationFn: (request) => api.call(method, request),
    onSuccess: (response, request) => {
      refresh(options.refreshes ?? []);
      options.onDone?.(response, request);
    },
    onError: (error) => {
      if (!wasRefused(error)) refresh(options.refreshes ?? []);
      if (options.quiet !== true) toasts.show('danger', failureTitle(error, 'That did not work'), errorSentence(error));
    },
  });
}

/** Has the kept answers of methods asked for again. */
export function useRefresh(): (methods: readonly (keyof CallMethods)[]) => void {
  const client = useQueryClient();
  return useCallback(
    (methods) => {
      for (const method of methods) void client.invalidateQueries({ queryKey: [method] });
    },
    [client],
  );
}
