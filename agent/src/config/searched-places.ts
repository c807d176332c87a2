import { CurfewError } from '@curfew/shared';
import path from 'node:path';
import type { SearchedPlaces } from '../platform/platform.js';

/** Reads CURFEW_PRIVILEGED_FILES: 'all' (the default), 'off', or absolute paths separated by ':'. Errors: CONFIG_INVALID. */
export function searchedPlaces(value = 'all'): SearchedPlaces {
  if (value === 'all') return 'all';
  if (value === 'off') return [];
  const places = value.split(':');
  const wrong = places.find((place) => !path.isAbsolute(place));
  if (wrong !== undefined)
    throw new CurfewError('CONFIG_INVALID', {
      problems: `CURFEW_PRIVILEGED_FILES: '${wrong}' is neither 'all', 'off', nor an absolute path`,
    });
  return places;
}
