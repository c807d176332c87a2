/** Where a device has the checkout (its own copy-on-write layer of it), as every user of the device can read it. */
export const DEVICE_PROGRAM = '/var/opt/curfew/program';

/** The folder with `node`, `curfew`, `curfew-agent` and `curfewctl`, first in a device's PATH. */
export const DEVICE_BIN = '/var/opt/curfew/bin';

/** PATH of everything that runs on a device. */
export const DEVICE_PATH = `${DEVICE_BIN}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;

/**
 * The first process of a device: makes the file systems, says 'ready', then holds the device up until it is killed
 * or the test process is gone (end of its input), which ends every process and mount of the device with it.
 * Arguments: layer folder, device name, checkout, node binary.
 */
export const DEVICE_INIT = `
set -eu
layers=$1 name=$2 checkout=$3 node=$4
first=no; [ -e "$layers/booted" ] || first=yes
umask 022
echo started

overlay() { # lower folder, mount point, name of the layer
  mkdir -p "$layers/$3" "$layers/$3.work"
  mount -t overlay device -o "lowerdir=$1,upperdir=$layers/$3,workdir=$layers/$3.work" "$2"
}
overlay /etc /etc etc
overlay /var /var var

mkdir -p ${DEVICE_PROGRAM} ${DEVICE_BIN}
overlay "$checkout" ${DEVICE_PROGRAM} program
: > ${DEVICE_BIN}/node
mount --bind "$node" ${DEVICE_BIN}/node
ln -sf ../program/agent/bin/curfew.js ${DEVICE_BIN}/curfew
ln -sf ../program/agent/bin/curfew-agent.js ${DEVICE_BIN}/curfew-agent
ln -sf ../program/server/bin/curfewctl.js ${DEVICE_BIN}/curfewctl

for folder in home root; do
  mkdir -p "$layers/$folder"
  mount --bind "$layers/$folder" "/$folder"
done
chmod 0700 /root
exec {files}<"$layers"
mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
mkdir -m 1777 /run/lock
: > /run/utmp
cat /proc/sys/kernel/random/uuid > "/proc/self/fd/$files/boot_id"
mount --bind "/proc/self/fd/$files/boot_id" /proc/sys/kernel/random/boot_id
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts /dev/pts 2>/dev/null || true
mount -t sysfs -o ro sysfs /sys 2>/dev/null || true
# What the device changes, it changes in its own layers; the rest of the machine is for reading.
mount -o remount,bind,ro / 2>/dev/null || true

hostname "$name"
if [ $first = yes ]; then
  printf '127.0.0.1 localhost\\n127.0.1.1 %s\\n' "$name" > /etc/hosts
  printf '%s\\n' "$name" > /etc/hostname
  rm -f /etc/resolv.conf; : > /etc/resolv.conf
  # A Curfew of the machine itself is not this device's.
  rm -rf /etc/sudoers.d/zz-curfew /var/lib/curfew /var/lib/curfew-server /var/lib/sudo/ts
  : > "/proc/self/fd/$files/booted"
fi
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /dev/shm 2>/dev/null || true
exec {files}<&-
trap : CHLD
echo ready
while read -r _; do :; done
`;
