/** The system's own programs that are used here, by absolute paths: all of them on the sealed system volume. */
export const MAC_TOOLS = {
  dscl: '/usr/bin/dscl',
  dseditgroup: '/usr/sbin/dseditgroup',
  dsmemberutil: '/usr/bin/dsmemberutil',
  dscacheutil: '/usr/bin/dscacheutil',
  launchctl: '/bin/launchctl',
  osascript: '/usr/bin/osascript',
  sudo: '/usr/bin/sudo',
  swVers: '/usr/bin/sw_vers',
  sysctl: '/usr/sbin/sysctl',
  ioreg: '/usr/sbin/ioreg',
  sh: '/bin/sh',
} as const;
