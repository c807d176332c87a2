import type { ItemKind, Weight } from '../../../ports/lasting-power.js';

/** Files and folders in which something stands that gives power. */
export interface WatchedPlace {
  readonly kind: ItemKind;
  readonly weight: Weight;
  /** Absolute paths of files, or of folders whose files are taken; with `deep`, those of folders below too. */
  readonly paths: readonly string[];
  readonly deep?: boolean;
  /** Set where people themselves say what is there: no folder is looked into, and of a longer file only the size is compared. */
  readonly longestBytes?: number;
  /** Whose own things the files are: one account's, or each the account's that it is named after, as crontabs are. */
  readonly account?: { readonly name: string } | 'file name';
}

/** Every such place but accounts, groups, packages, keys of people and privileged files, which are read in their own ways. */
export const WATCHED_PLACES: readonly WatchedPlace[] = [
  {
    kind: 'sudoers',
    weight: 'critical',
    paths: ['/etc/sudoers', '/etc/sudoers.d', '/etc/sudo.conf', '/etc/doas.conf'],
  },
  { kind: 'pam', weight: 'critical', paths: ['/etc/pam.d', '/etc/pam.conf', '/etc/security'] },
  {
    kind: 'polkit',
    weight: 'critical',
    paths: ['/etc/polkit-1', '/usr/share/polkit-1/rules.d', '/usr/local/share/polkit-1/rules.d'],
    deep: true,
  },
  { kind: 'loader', weight: 'critical', paths: ['/etc/ld.so.preload'] },
  { kind: 'loader', weight: 'warning', paths: ['/etc/ld.so.conf', '/etc/ld.so.conf.d'] },
  {
    kind: 'cron',
    weight: 'warning',
    paths: [
      '/etc/crontab',
      '/etc/anacrontab',
      '/etc/cron.d',
      '/etc/cron.hourly',
      '/etc/cron.daily',
      '/etc/cron.weekly',
      '/etc/cron.monthly',
      '/etc/cron.allow',
      '/etc/cron.deny',
    ],
  },
  { kind: 'cron', weight: 'warning', paths: ['/var/spool/cron', '/var/spool/cron/crontabs'], account: 'file name' },
  {
    kind: 'at',
    weight: 'warning',
    paths: ['/var/spool/cron/atjobs', '/var/spool/at', '/var/spool/atjobs', '/etc/at.allow', '/etc/at.deny'],
  },
  {
    kind: 'service',
    weight: 'warning',
    paths: [
      '/etc/systemd',
      '/run/systemd/system',
      '/run/systemd/transient',
      '/usr/local/lib/systemd',
      '/lib/systemd/system',
      '/lib/systemd/system-generators',
      '/etc/init.d',
      '/etc/rc.local',
      '/etc/inittab',
      '/etc/udev/rules.d',
      '/etc/modules',
      '/etc/modules-load.d',
      '/etc/modprobe.d',
      '/etc/xdg/autostart',
    ],
    deep: true,
  },
  {
    kind: 'profile',
    weight: 'warning',
    paths: [
      '/etc/profile',
      '/etc/profile.d',
      '/etc/environment',
      '/etc/bash.bashrc',
      '/etc/bashrc',
      '/etc/zsh',
      '/etc/skel',
      '/root/.profile',
      '/root/.bash_profile',
      '/root/.bash_login',
      '/root/.bash_logout',
      '/root/.bashrc',
      '/root/.zshrc',
      '/root/.zshenv',
    ],
  },
  {
    kind: 'sshd_config',
    weight: 'warning',
    paths: [
      '/etc/ssh/sshd_config',
      '/etc/ssh/sshd_config.d',
      '/etc/ssh/ssh_config',
      '/etc/hosts.equiv',
      '/root/.rhosts',
    ],
  },
];

/** Where a change tells most, for the watch that does not wait for the next look. */
export const TELLING_FOLDERS: readonly string[] = [
  '/etc',
  '/etc/sudoers.d',
  '/etc/pam.d',
  '/etc/polkit-1/rules.d',
  '/etc/cron.d',
  '/etc/systemd/system',
  '/var/spool/cron/crontabs',
  '/root/.ssh',
];

/** Whose members are root when they like, or nearly so. */
export const ADMIN_GROUPS: ReadonlySet<string> = new Set(['sudo', 'wheel', 'admin', 'root']);
export const NEARLY_ADMIN_GROUPS: ReadonlySet<string> = new Set([
  'docker',
  'lxd',
  'libvirt',
  'disk',
  'shadow',
  'kmem',
  'adm',
  'kvm',
  'systemd-journal',
  'netdev',
  'staff',
]);
