/** File systems of this machine's disks and memory. Others are the kernel's own, or another machine's. */
const LOCAL = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'f2fs', 'zfs', 'bcachefs', 'overlay', 'tmpfs', 'jfs']);

/**
 * The mounts on which the bits of chmod(2) and capabilities(7) count, from /proc/self/mountinfo: local, and not mounted
 * with nosuid.
 */
export const privilegedMounts = (mountinfo: string): string[] =>
  mountinfo.split('\n').flatMap((line) => {
    const [before, after] = line.split(' - ');
    const [, , , , place, options] = before?.split(' ') ?? [];
    const [type] = after?.split(' ') ?? [];
    if (place === undefined || type === undefined || !LOCAL.has(type)) return [];
    return options?.split(',').includes('nosuid') === true ? [] : [unescaped(place)];
  });

/** proc(5): spaces and the like stand as octal numbers. */
const unescaped = (text: string): string =>
  text.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
