import type { PlatformJson } from '../gen/api.js';
import { wordFromProto } from './proto-json.js';

/** The operating system families of devices. */
export const PLATFORMS = ['linux', 'darwin', 'windows'] as const;
export type Platform = (typeof PLATFORMS)[number];

/** What people call each platform. */
export const PLATFORM_NAMES: Readonly<Record<Platform, string>> = {
  linux: 'Linux',
  darwin: 'macOS',
  windows: 'Windows',
};

/** Reads a platform of the API; undefined when it is not known. */
export const platformFromProto = (value: PlatformJson | undefined): Platform | undefined =>
  wordFromProto(PLATFORMS, 'PLATFORM_', value);

/** A platform as the API spells it. */
export const platformToProto = (platform: Platform): PlatformJson =>
  `PLATFORM_${platform.toUpperCase() as Uppercase<Platform>}`;
