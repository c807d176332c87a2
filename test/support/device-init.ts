/** Where a device has the checkout (its own copy-on-write layer of it), as every user of the device can read it. */
export const DEVICE_PROGRAM = '/var/opt/curfew/program';

/** The folder with `node`, `curfew`, `curfew-agent` and `curfewctl`, first in a device's PATH. */
export const DEVICE_BIN = '/var/opt/curfew/bin';

/** PATH of everything that runs on a device. */
export const DEVICE_PATH = `${DEVICE_BIN}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;

/** Where a device with systemd has its boot id too, for services that are given a /proc of their own. */
export const DEVICE_BOOT_ID = '/run/boot_id';

/** What runs as a device's first process: a script that only holds it up, or Debian's systemd. */
export type DeviceInit = 'plain' | 'systemd';

/**
 * Makes the file systems of a device. With systemd its root is an overlay of the machine's, so that systemd has a file
 * system of its own to work on; without, the machine's root is read-only below the device's own folders.
 * Arguments: layer folder, device name, checkout, node binary, kind of first process, the agent's state folder or nothing,
 * the version of its own control groups for a plain device that has some, and the root folder of a system that is to be there
 * instead of the machine's: nothing of the machine or the checkout is on that one.
 */
const FILE_SYSTEMS = `
set -eu
layers=$1 name=$2 checkout=$3 node=$4 init=$5 state=$6 cgroups=\${7:-} system=\${8:-}
first=no; [ -e "$layers/booted" ] || first=yes
umask 022
[ -z "$state" ] || exec {disk}<"$state"
echo started

overlay() { # lower folder, mount point, name of the layer
  mkdir -p "$layers/$3" "$layers/$3.work"
  mount -t overlay device -o "lowerdir=$1,upperdir=$layers/$3,workdir=$layers/$3.work" "$2"
}
root=
if [ "$init" = systemd ]; then
  root=$layers/system.root
  mkdir -p "$root"
  overlay "\${system:-/}" "$root" system
  mount -t proc proc "$root/proc"
fi
if [ -z "$system" ]; then
overlay /etc "$root/etc" etc
overlay /var "$root/var" var

mkdir -p "$root${DEVICE_PROGRAM}" "$root${DEVICE_BIN}"
overlay "$checkout" "$root${DEVICE_PROGRAM}" program
: > "$root${DEVICE_BIN}/node"
mount --bind "$node" "$root${DEVICE_BIN}/node"
ln -sf ../program/agent/bin/curfew.js "$root${DEVICE_BIN}/curfew"
ln -sf ../program/agent/bin/curfew-agent.js "$root${DEVICE_BIN}/curfew-agent"
ln -sf ../program/server/bin/curfewctl.js "$root${DEVICE_BIN}/curfewctl"
fi

for folder in home root; do
  mkdir -p "$layers/$folder"
  mount --bind "$layers/$folder" "$root/$folder"
done
chmod 0700 "$root/root"
exec {files}<"$layers"
mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -m 1777 "$root/run/lock"
: > "$root/run/utmp"

hostname "$name"
if [ $first = yes ]; then
  printf '127.0.0.1 localhost\\n127.0.1.1 %s\\n' "$name" > "$root/etc/hosts"
  printf '%s\\n' "$name" > "$root/etc/hostname"
  rm -f "$root/etc/resolv.conf"; : > "$root/etc/resolv.conf"
  # A Curfew of the machine itself is not this device's.
  [ -n "$system" ] || rm -rf "$root"/etc/sudoers.d/zz-curfew "$root"/var/lib/curfew "$root"/var/lib/curfew-server "$root"/var/lib/sudo/ts
  : > "/proc/self/fd/$files/booted"
fi
`;

/** Goes on as the script that holds the device up: until the test process is gone, which is the end of its input. */
const PLAIN = `
cat /proc/sys/kernel/random/uuid > "/proc/self/fd/$files/boot_id"
mount --bind "/proc/self/fd/$files/boot_id" /proc/sys/kernel/random/boot_id
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts /dev/pts 2>/dev/null || true
mount -t sysfs -o ro sysfs /sys 2>/dev/null || true
case $cgroups in
1)
  mount -t tmpfs tmpfs /sys/fs/cgroup
  mkdir /sys/fs/cgroup/pids
  mount -t cgroup -o pids cgroup /sys/fs/cgroup/pids
  ;;
2) mount -t cgroup2 cgroup2 /sys/fs/cgroup ;;
esac
# What the device changes, it changes in its own layers; the rest of the machine is for reading.
mount -o remount,bind,ro / 2>/dev/null || true
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /dev/shm 2>/dev/null || true
if [ -n "$state" ]; then
  mkdir -p /var/lib/curfew
  mount --bind "/proc/self/fd/$disk" /var/lib/curfew
  mount -o remount,bind,rw /var/lib/curfew
  exec {disk}<&-
fi
exec {files}<&-
trap : CHLD
echo ready
while read -r _; do :; done
`;

/** Parts of systemd that would work on the machine's kernel instead of the device. */
const MASKED = [
  'systemd-modules-load.service',
  'systemd-sysctl.service',
  'systemd-udevd.service',
  'systemd-udev-trigger.service',
  'systemd-timesyncd.service',
  'sys-kernel-debug.mount',
  'sys-kernel-tracing.mount',
  'sys-fs-fuse-connections.mount',
  'dev-hugepages.mount',
];

/** Goes on as systemd, in a root of its own, with nothing enabled but what every system has. */
const SYSTEMD = `
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=0755 tmpfs "$root/sys/fs/cgroup" 2>/dev/null || true
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=0755,nosuid tmpfs "$root/dev"
for file in null zero full random urandom tty; do
  : > "$root/dev/$file"
  mount --bind "/dev/$file" "$root/dev/$file"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
# The machine's kernel settings are not the device's to change.
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
cat /proc/sys/kernel/random/uuid > "$layers/boot_id"
mount --bind "$layers/boot_id" "$root/proc/sys/kernel/random/boot_id"
cp "$layers/boot_id" "$root${DEVICE_BOOT_ID}"
if [ $first = yes ]; then
  rm -rf "$root"/etc/systemd/system "$root"/etc/rc?.d "$root"/etc/rc.local
  mkdir -p "$root/etc/systemd/system"
  for unit in ${MASKED.join(' ')}; do ln -s /dev/null "$root/etc/systemd/system/$unit"; done
  : > "$root/etc/fstab"; : > "$root/etc/crypttab"
  tr -d - < "$layers/boot_id" > "$root/etc/machine-id"
fi
mkdir -p "$root/old"
cd "$root"
pivot_root . old
umount -l /old
exec {files}<&-
# The end of the input is the end of the test process: the whole device goes then, as a machine without power does.
(while read -r _; do :; done; exec systemctl --force --force poweroff) >/dev/null 2>&1 <&0 &
echo ready
exec env -i container=curfew PATH="${DEVICE_PATH}" /lib/systemd/systemd --system --show-status=0 --log-target=journal </dev/null
`;

/**
 * The first process of a device: makes the file systems, says 'ready', then is what it is to be. It and every process
 * and mount of the device end with the test process. Arguments: layer folder, device name, checkout, node binary, init.
 */
export const deviceInitScript = (init: DeviceInit): string => FILE_SYSTEMS + (init === 'plain' ? PLAIN : SYSTEMD);
