import type { UseQueryResult } from '@tanstack/react-query';
import { useApiQuery } from '../../api/use-api.js';
import type { ConnectorKindJson, ListConnectorsResponseJson, ListResourcesResponseJson } from '../../gen/api.js';

/** Kept answers that a change of a resource or a connector makes old. */
export const RESOURCE_REFRESHES = ['ResourceService/ListResources', 'ResourceService/ListConnectors'] as const;

const INTERVAL_MS = 5_000;

/** Every resource, asked for again and again. */
export const useResources = (): UseQueryResult<ListResourcesResponseJson> =>
  useApiQuery('ResourceService/ListResources', {}, { refetchIntervalMs: INTERVAL_MS });

/** Every connector, asked for again and again. */
export const useConnectors = (): UseQueryResult<ListConnectorsResponseJson> =>
  useApiQuery('ResourceService/ListConnectors', {}, { refetchIntervalMs: INTERVAL_MS });

/** The kinds of connectors. None until they are known. */
export function useKinds(): readonly ConnectorKindJson[] {
  return useApiQuery('ResourceService/ListConnectorKinds', {}).data?.kinds ?? [];
}
