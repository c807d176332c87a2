import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useServices } from '../app/services.js';

/** How many names are suggested. */
const MOST = 20;

/** Names of users that contain the text. */
export function useUserNames(text: string): readonly string[] {
  const { api } = useServices();
  const request = { text, pageSize: MOST };
  const users = useQuery({
    queryKey: ['UserService/ListUsers', request],
    queryFn: ({ signal }) => api.call('UserService/ListUsers', request, signal),
    enabled: text !== '',
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
  return (users.data?.users ?? []).map(({ name }) => name ?? '');
}

/** Names of devices that contain the text. */
export function useDeviceNames(text: string): readonly string[] {
  const { api } = useServices();
  const request = { filter: { text }, pageSize: MOST };
  const devices = useQuery({
    queryKey: ['DeviceService/ListDevices', request],
    queryFn: ({ signal }) => api.call('DeviceService/ListDevices', request, signal),
    enabled: text !== '',
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
  return (devices.data?.devices ?? []).map(({ name }) => name ?? '');
}

/** Names of resources that contain the text. */
export function useResourceNames(text: string): readonly string[] {
  const { api } = useServices();
  const resources = useQuery({
    queryKey: ['ResourceService/ListResources', {}],
    queryFn: ({ signal }) => api.call('ResourceService/ListResources', {}, signal),
    enabled: text !== '',
    staleTime: 30_000,
  });
  const needle = text.toLowerCase();
  return (resources.data?.resources ?? [])
    .map(({ name }) => name ?? '')
    .filter((name) => name.toLowerCase().includes(needle))
    .slice(0, MOST);
}
