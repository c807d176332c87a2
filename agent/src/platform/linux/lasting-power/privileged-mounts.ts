import { parseMounts } from '../mounts.js';

/** File systems of this machine's disks and memory. Others are the kernel's own, or another machine's. */
const LOCAL = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'f2fs', 'zfs', 'bcachefs', 'overlay', 'tmpfs', 'jfs']);

/**
 * The mounts on which the bits of chmod(2) and capabilities(7) count, from /proc/self/mountinfo: local, and not mounted
 * with nosuid.
 */
export const privilegedMounts = (mountinfo: string): string[] =>
  parseMounts(mountinfo)
    .filter(({ type, options }) => LOCAL.has(type) && !options.includes('nosuid'))
    .map(({ place }) => place);
